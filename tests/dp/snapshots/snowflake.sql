-- moments
SELECT
  "t12"."code",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('450000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t12"."c0_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('224000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t12"."c0_1" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_1",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('450000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t12"."c0_2" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_2",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('2000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t12"."c2_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c2_0",
  CAST(GREATEST(
    CAST('-40000' AS DECIMAL(38, 0)),
    LEAST(
      CAST('40000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t12"."c3_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c3_0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('1000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t12"."unit" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "unit"
FROM (
  SELECT
    "t11"."code",
    SUM(
      CAST(IFF(
        "t11"."rows_1y" > CAST('2' AS BIGINT),
        CAST((
          CAST("t11"."c0_0" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t11"."c0_0" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t11"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t11"."rows_1y" AS DECIMAL(38, 0)) AS DECIMAL(38, 0)),
        "t11"."c0_0"
      ) AS DECIMAL(38, 0))
    ) AS "c0_0",
    SUM(
      CAST(IFF(
        "t11"."rows_1y" > CAST('2' AS BIGINT),
        CAST((
          CAST("t11"."c0_1" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t11"."c0_1" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t11"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t11"."rows_1y" AS DECIMAL(38, 0)) AS DECIMAL(38, 0)),
        "t11"."c0_1"
      ) AS DECIMAL(38, 0))
    ) AS "c0_1",
    SUM(
      CAST(IFF(
        "t11"."rows_1y" > CAST('2' AS BIGINT),
        CAST((
          CAST("t11"."c0_2" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t11"."c0_2" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t11"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t11"."rows_1y" AS DECIMAL(38, 0)) AS DECIMAL(38, 0)),
        "t11"."c0_2"
      ) AS DECIMAL(38, 0))
    ) AS "c0_2",
    SUM(
      CAST(IFF("t11"."rows_1x" > CAST('2' AS BIGINT), CAST('2' AS BIGINT), "t11"."rows_1x") AS DECIMAL(38, 0))
    ) AS "c2_0",
    SUM(
      CAST(IFF(
        "t11"."rows_1x" > CAST('2' AS BIGINT),
        IFF(
          (
            (
              "t11"."sum_x_20" * CAST('2' AS BIGINT)
            ) + (
              "t11"."rows_1x" * CAST('-20' AS BIGINT)
            )
          ) < CAST('0' AS BIGINT),
          -(
            CAST((
              CAST(ABS(
                (
                  "t11"."sum_x_20" * CAST('2' AS BIGINT)
                ) + (
                  "t11"."rows_1x" * CAST('-20' AS BIGINT)
                )
              ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
                CAST(ABS(
                  (
                    "t11"."sum_x_20" * CAST('2' AS BIGINT)
                  ) + (
                    "t11"."rows_1x" * CAST('-20' AS BIGINT)
                  )
                ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t11"."rows_1x" AS DECIMAL(38, 0))
              )
            ) / CAST("t11"."rows_1x" AS DECIMAL(38, 0)) AS DECIMAL(38, 0))
          ),
          CAST((
            CAST(ABS(
              (
                "t11"."sum_x_20" * CAST('2' AS BIGINT)
              ) + (
                "t11"."rows_1x" * CAST('-20' AS BIGINT)
              )
            ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
              CAST(ABS(
                (
                  "t11"."sum_x_20" * CAST('2' AS BIGINT)
                ) + (
                  "t11"."rows_1x" * CAST('-20' AS BIGINT)
                )
              ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t11"."rows_1x" AS DECIMAL(38, 0))
            )
          ) / CAST("t11"."rows_1x" AS DECIMAL(38, 0)) AS DECIMAL(38, 0))
        ),
        (
          "t11"."sum_x_20" * CAST('2' AS BIGINT)
        ) + (
          "t11"."rows_1x" * CAST('-20' AS BIGINT)
        )
      ) AS DECIMAL(38, 0))
    ) AS "c3_0",
    COUNT(*) AS "unit"
  FROM (
    SELECT
      *
    FROM (
      SELECT
        "t9"."unit",
        "t9"."code",
        "t9"."c0_0",
        "t9"."c0_1",
        "t9"."c0_2",
        "t9"."rows_1y",
        "t9"."rows_1x",
        "t9"."sum_x_20",
        "t9"."order",
        ROW_NUMBER() OVER (PARTITION BY "t9"."unit" ORDER BY "t9"."order" ASC) - 1 AS "place"
      FROM (
        SELECT
          "t8".*
          EXCLUDE ("number")
        FROM (
          SELECT
            "t7"."unit",
            "t7"."code",
            "t7"."c0_0",
            "t7"."c0_1",
            "t7"."c0_2",
            "t7"."rows_1y",
            "t7"."rows_1x",
            "t7"."sum_x_20",
            "t7"."number",
            (
              (
                (
                  (
                    (
                      (
                        (
                          (
                            (
                              (
                                "t7"."number" * CAST('48271' AS BIGINT)
                              ) + (
                                (
                                  "t7"."code" + CAST('1' AS BIGINT)
                                ) * CAST('1640531527' AS BIGINT)
                              )
                            ) % CAST('2147483647' AS BIGINT)
                          ) * (
                            (
                              (
                                "t7"."number" * CAST('48271' AS BIGINT)
                              ) + (
                                (
                                  "t7"."code" + CAST('1' AS BIGINT)
                                ) * CAST('1640531527' AS BIGINT)
                              )
                            ) % CAST('2147483647' AS BIGINT)
                          )
                        ) + "t7"."number"
                      ) % CAST('2147483647' AS BIGINT)
                    ) * (
                      (
                        (
                          (
                            (
                              (
                                "t7"."number" * CAST('48271' AS BIGINT)
                              ) + (
                                (
                                  "t7"."code" + CAST('1' AS BIGINT)
                                ) * CAST('1640531527' AS BIGINT)
                              )
                            ) % CAST('2147483647' AS BIGINT)
                          ) * (
                            (
                              (
                                "t7"."number" * CAST('48271' AS BIGINT)
                              ) + (
                                (
                                  "t7"."code" + CAST('1' AS BIGINT)
                                ) * CAST('1640531527' AS BIGINT)
                              )
                            ) % CAST('2147483647' AS BIGINT)
                          )
                        ) + "t7"."number"
                      ) % CAST('2147483647' AS BIGINT)
                    )
                  ) + "t7"."code"
                ) % CAST('2147483647' AS BIGINT)
              ) * CAST('1048576' AS BIGINT)
            ) + "t7"."code" AS "order"
          FROM (
            SELECT
              "t6"."unit",
              "t6"."code",
              "t6"."c0_0",
              "t6"."c0_1",
              "t6"."c0_2",
              "t6"."rows_1y",
              "t6"."rows_1x",
              "t6"."sum_x_20",
              TO_NUMBER(
                SUBSTRING(MD5("t6"."unit"), IFF((
                  0 + 1
                ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t6"."unit"))), 8),
                'XXXXXXXX'
              ) % CAST('2147483647' AS BIGINT) AS "number"
            FROM (
              SELECT
                "t5"."unit",
                "t5"."code",
                SUM(
                  CAST((
                    (
                      CAST('1' AS BIGINT) * 15
                    ) - "t5"."k_y"
                  ) * (
                    (
                      CAST('1' AS BIGINT) * 15
                    ) - "t5"."k_y"
                  ) AS DECIMAL(38, 0))
                ) AS "c0_0",
                SUM(
                  CAST("t5"."k_y" * 2 * (
                    (
                      CAST('1' AS BIGINT) * 15
                    ) - "t5"."k_y"
                  ) AS DECIMAL(38, 0))
                ) AS "c0_1",
                SUM(CAST("t5"."k_y" * "t5"."k_y" AS DECIMAL(38, 0))) AS "c0_2",
                COUNT("t5"."k_y") AS "rows_1y",
                SUM(
                  CAST(IFF("t5"."k_x" IS NOT NULL, CAST('1' AS BIGINT), CAST(NULL AS BIGINT)) AS DECIMAL(38, 0))
                ) AS "rows_1x",
                SUM(CAST("t5"."k_x" AS DECIMAL(38, 0))) AS "sum_x_20"
              FROM (
                SELECT
                  "t4".*
                  EXCLUDE ("g0")
                FROM (
                  SELECT
                    "t3"."g0",
                    "t3"."unit",
                    "t3"."k_x",
                    "t3"."k_y",
                    "t3"."g0" AS "code"
                  FROM (
                    SELECT
                      CASE
                        WHEN "t2"."g0" = 'a'
                        THEN CAST('0' AS BIGINT)
                        WHEN "t2"."g0" = 'b'
                        THEN CAST('1' AS BIGINT)
                        WHEN "t2"."g0" = 'é|'
                        THEN CAST('2' AS BIGINT)
                        WHEN "t2"."g0" = 'é|'
                        THEN CAST('3' AS BIGINT)
                        WHEN "t2"."g0" = 'a|b'
                        THEN CAST('4' AS BIGINT)
                        WHEN "t2"."g0" = 'A'
                        THEN CAST('5' AS BIGINT)
                        ELSE NULL
                      END AS "g0",
                      "t2"."unit",
                      "t2"."k_x",
                      "t2"."k_y"
                    FROM (
                      SELECT
                        COLLATE("t1"."g", '') AS "g0",
                        COLLATE("t1"."u", '') AS "unit",
                        IFF(
                          IFF("t1"."x" = CAST('NaN' AS DOUBLE), CAST(NULL AS DOUBLE), "t1"."x") IS NULL,
                          CAST(NULL AS BIGINT),
                          GREATEST(
                            CAST('0' AS BIGINT),
                            LEAST(
                              CAST('20' AS BIGINT),
                              CAST(FLOOR(
                                (
                                  (
                                    GREATEST(
                                      CAST('0.0' AS DOUBLE),
                                      LEAST(
                                        CAST('10.0' AS DOUBLE),
                                        IFF("t1"."x" = CAST('NaN' AS DOUBLE), CAST(NULL AS DOUBLE), "t1"."x")
                                      )
                                    ) - CAST('0.0' AS DOUBLE)
                                  ) / CAST('0.5' AS DOUBLE)
                                ) + CAST('0.5' AS DOUBLE)
                              ) AS BIGINT)
                            )
                          )
                        ) AS "k_x",
                        IFF(
                          "t1"."y" IS NULL,
                          CAST(NULL AS BIGINT),
                          GREATEST(CAST('-3' AS BIGINT), LEAST(CAST('12' AS BIGINT), "t1"."y")) - CAST('-3' AS BIGINT)
                        ) AS "k_y"
                      FROM (
                        SELECT
                          *
                        FROM "visits" AS "t0"
                        WHERE
                          "t0"."d" >= DATE_FROM_PARTS(2024, 2, 29)
                          AND "t0"."z" < CAST('1.001' AS DECIMAL(38, 3))
                          AND CAST(CAST("t0"."b" AS INT) AS BIGINT) = CAST('1' AS BIGINT)
                      ) AS "t1"
                    ) AS "t2"
                    WHERE
                      "t2"."unit" IS NOT NULL
                  ) AS "t3"
                  WHERE
                    "t3"."g0" IS NOT NULL
                ) AS "t4"
              ) AS "t5"
              GROUP BY
                1,
                2
            ) AS "t6"
          ) AS "t7"
        ) AS "t8"
      ) AS "t9"
    ) AS "t10"
    WHERE
      "t10"."place" < 2
  ) AS "t11"
  GROUP BY
    1
) AS "t12";

-- cells
SELECT
  "t9"."code",
  "t9"."g0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('3000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t9"."c1_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c1_0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('1000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t9"."unit" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "unit"
FROM (
  SELECT
    "t8"."code",
    "t8"."g0",
    SUM(
      CAST(IFF("t8"."rows" > CAST('3' AS BIGINT), CAST('3' AS BIGINT), "t8"."rows") AS DECIMAL(38, 0))
    ) AS "c1_0",
    COUNT(*) AS "unit"
  FROM (
    SELECT
      *
    FROM (
      SELECT
        "t6"."unit",
        "t6"."code",
        "t6"."g0",
        "t6"."rows",
        "t6"."order",
        ROW_NUMBER() OVER (
          PARTITION BY "t6"."unit"
          ORDER BY "t6"."order" ASC, "t6"."code" ASC, "t6"."g0" ASC
        ) - 1 AS "place"
      FROM (
        SELECT
          "t5"."unit",
          "t5"."code",
          "t5"."g0",
          "t5"."rows",
          (
            (
              (
                (
                  (
                    (
                      (
                        (
                          (
                            (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t5"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t5"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t5"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          ) * CAST('48271' AS BIGINT)
                        ) + (
                          (
                            "t5"."number_g0" + CAST('1' AS BIGINT)
                          ) * CAST('1640531527' AS BIGINT)
                        )
                      ) % CAST('2147483647' AS BIGINT)
                    ) * (
                      (
                        (
                          (
                            (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t5"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t5"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t5"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          ) * CAST('48271' AS BIGINT)
                        ) + (
                          (
                            "t5"."number_g0" + CAST('1' AS BIGINT)
                          ) * CAST('1640531527' AS BIGINT)
                        )
                      ) % CAST('2147483647' AS BIGINT)
                    )
                  ) + (
                    (
                      (
                        (
                          (
                            (
                              (
                                (
                                  (
                                    "t5"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t5"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    "t5"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t5"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t5"."number"
                          ) % CAST('2147483647' AS BIGINT)
                        ) * (
                          (
                            (
                              (
                                (
                                  (
                                    "t5"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t5"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    "t5"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t5"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t5"."number"
                          ) % CAST('2147483647' AS BIGINT)
                        )
                      ) + "t5"."code"
                    ) % CAST('2147483647' AS BIGINT)
                  )
                ) % CAST('2147483647' AS BIGINT)
              ) * (
                (
                  (
                    (
                      (
                        (
                          (
                            (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t5"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t5"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t5"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          ) * CAST('48271' AS BIGINT)
                        ) + (
                          (
                            "t5"."number_g0" + CAST('1' AS BIGINT)
                          ) * CAST('1640531527' AS BIGINT)
                        )
                      ) % CAST('2147483647' AS BIGINT)
                    ) * (
                      (
                        (
                          (
                            (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t5"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t5"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t5"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t5"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t5"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          ) * CAST('48271' AS BIGINT)
                        ) + (
                          (
                            "t5"."number_g0" + CAST('1' AS BIGINT)
                          ) * CAST('1640531527' AS BIGINT)
                        )
                      ) % CAST('2147483647' AS BIGINT)
                    )
                  ) + (
                    (
                      (
                        (
                          (
                            (
                              (
                                (
                                  (
                                    "t5"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t5"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    "t5"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t5"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t5"."number"
                          ) % CAST('2147483647' AS BIGINT)
                        ) * (
                          (
                            (
                              (
                                (
                                  (
                                    "t5"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t5"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    "t5"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t5"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t5"."number"
                          ) % CAST('2147483647' AS BIGINT)
                        )
                      ) + "t5"."code"
                    ) % CAST('2147483647' AS BIGINT)
                  )
                ) % CAST('2147483647' AS BIGINT)
              )
            ) + "t5"."number_g0"
          ) % CAST('2147483647' AS BIGINT) AS "order"
        FROM (
          SELECT
            "t4"."unit",
            "t4"."code",
            "t4"."g0",
            "t4"."rows",
            TO_NUMBER(
              SUBSTRING(MD5("t4"."unit"), IFF((
                0 + 1
              ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t4"."unit"))), 8),
              'XXXXXXXX'
            ) % CAST('2147483647' AS BIGINT) AS "number",
            TO_NUMBER(
              SUBSTRING(MD5("t4"."g0"), IFF((
                0 + 1
              ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t4"."g0"))), 8),
              'XXXXXXXX'
            ) % CAST('2147483647' AS BIGINT) AS "number_g0"
          FROM (
            SELECT
              "t3"."unit",
              "t3"."code",
              "t3"."g0",
              COUNT(*) AS "rows"
            FROM (
              SELECT
                "t2".*
                EXCLUDE ("g1")
              FROM (
                SELECT
                  "t1"."g0",
                  "t1"."g1",
                  "t1"."unit",
                  "t1"."k_x",
                  "t1"."g1" AS "code"
                FROM (
                  SELECT
                    COLLATE("t0"."h", '') AS "g0",
                    IFF(
                      "t0"."y" IS NULL,
                      CAST(NULL AS BIGINT),
                      CASE
                        WHEN "t0"."y" < CAST('-2' AS BIGINT)
                        THEN CAST('0' AS BIGINT)
                        WHEN "t0"."y" >= CAST('9' AS BIGINT)
                        THEN CAST('4' AS BIGINT)
                        ELSE CAST(CAST((
                          CAST((
                            (
                              GREATEST(CAST('-2' AS BIGINT), LEAST(CAST('9' AS BIGINT), "t0"."y")) - CAST('-2' AS BIGINT)
                            ) * CAST('6' AS BIGINT)
                          ) + CAST('3' AS BIGINT) AS DECIMAL(38, 0)) - (
                            CAST((
                              (
                                GREATEST(CAST('-2' AS BIGINT), LEAST(CAST('9' AS BIGINT), "t0"."y")) - CAST('-2' AS BIGINT)
                              ) * CAST('6' AS BIGINT)
                            ) + CAST('3' AS BIGINT) AS DECIMAL(38, 0)) % CAST(CAST('23' AS BIGINT) AS DECIMAL(38, 0))
                          )
                        ) / CAST(CAST('23' AS BIGINT) AS DECIMAL(38, 0)) AS DECIMAL(38, 0)) AS BIGINT) + CAST('1' AS BIGINT)
                      END
                    ) AS "g1",
                    COLLATE("t0"."u", '') AS "unit",
                    IFF(
                      IFF("t0"."x" = CAST('NaN' AS DOUBLE), CAST(NULL AS DOUBLE), "t0"."x") IS NULL,
                      CAST(NULL AS BIGINT),
                      GREATEST(
                        CAST('0' AS BIGINT),
                        LEAST(
                          CAST('20' AS BIGINT),
                          CAST(FLOOR(
                            (
                              (
                                GREATEST(
                                  CAST('0.0' AS DOUBLE),
                                  LEAST(
                                    CAST('10.0' AS DOUBLE),
                                    IFF("t0"."x" = CAST('NaN' AS DOUBLE), CAST(NULL AS DOUBLE), "t0"."x")
                                  )
                                ) - CAST('0.0' AS DOUBLE)
                              ) / CAST('0.5' AS DOUBLE)
                            ) + CAST('0.5' AS DOUBLE)
                          ) AS BIGINT)
                        )
                      )
                    ) AS "k_x"
                  FROM "visits" AS "t0"
                ) AS "t1"
                WHERE
                  "t1"."unit" IS NOT NULL AND "t1"."g0" IS NOT NULL AND "t1"."g1" IS NOT NULL
              ) AS "t2"
            ) AS "t3"
            GROUP BY
              1,
              2,
              3
          ) AS "t4"
        ) AS "t5"
      ) AS "t6"
    ) AS "t7"
    WHERE
      "t7"."place" < 2
  ) AS "t8"
  GROUP BY
    1,
    2
) AS "t9";

-- cells
SELECT
  "t14"."code",
  "t14"."g0",
  "t14"."cell",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('3000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t14"."rows" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "rows"
FROM (
  SELECT
    "t13"."code",
    "t13"."g0",
    "t13"."cell",
    SUM(CAST("t13"."rows" AS DECIMAL(38, 0))) AS "rows"
  FROM (
    SELECT
      "t12"."unit",
      "t12"."code",
      "t12"."g0",
      "t12"."cell",
      "t12"."held",
      "t12"."order",
      "t12"."place",
      "t12"."all",
      "t12"."end",
      IFF(
        "t12"."all" > CAST('3' AS BIGINT),
        CAST(CAST((
          CAST((
            (
              "t12"."end" * CAST('6' AS BIGINT)
            ) + "t12"."all"
          ) - CAST('1' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST((
              (
                "t12"."end" * CAST('6' AS BIGINT)
              ) + "t12"."all"
            ) - CAST('1' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t12"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0))
          )
        ) / CAST("t12"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) AS DECIMAL(38, 0)) AS BIGINT) - CAST(CAST((
          CAST((
            (
              (
                "t12"."end" - "t12"."held"
              ) * CAST('6' AS BIGINT)
            ) + "t12"."all"
          ) - CAST('1' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST((
              (
                (
                  "t12"."end" - "t12"."held"
                ) * CAST('6' AS BIGINT)
              ) + "t12"."all"
            ) - CAST('1' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t12"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0))
          )
        ) / CAST("t12"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) AS DECIMAL(38, 0)) AS BIGINT),
        "t12"."held"
      ) AS "rows"
    FROM (
      SELECT
        "t11"."unit",
        "t11"."code",
        "t11"."g0",
        "t11"."cell",
        "t11"."held",
        "t11"."order",
        "t11"."place",
        "t11"."all",
        SUM("t11"."held") OVER (
          PARTITION BY "t11"."unit", "t11"."code", "t11"."g0"
          ORDER BY "t11"."cell" ASC
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS "end"
      FROM (
        SELECT
          "t10"."unit",
          "t10"."code",
          "t10"."g0",
          "t10"."cell",
          "t10"."held",
          "t10"."order",
          "t10"."place",
          SUM("t10"."held") OVER (
            PARTITION BY "t10"."unit", "t10"."code", "t10"."g0"
            ORDER BY NULL ASC
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
          ) AS "all"
        FROM (
          SELECT
            *
          FROM (
            SELECT
              "t8"."unit",
              "t8"."code",
              "t8"."g0",
              "t8"."cell",
              "t8"."held",
              "t8"."order",
              DENSE_RANK() OVER (
                PARTITION BY "t8"."unit"
                ORDER BY "t8"."order" ASC, "t8"."code" ASC, "t8"."g0" ASC
              ) - 1 AS "place"
            FROM (
              SELECT
                "t7".*
                EXCLUDE ("number", "number_g0")
              FROM (
                SELECT
                  "t6"."unit",
                  "t6"."code",
                  "t6"."g0",
                  "t6"."cell",
                  "t6"."held",
                  "t6"."number",
                  "t6"."number_g0",
                  (
                    (
                      (
                        (
                          (
                            (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            (
                                              (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              ) * (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              )
                                            ) + "t6"."number"
                                          ) % CAST('2147483647' AS BIGINT)
                                        ) * (
                                          (
                                            (
                                              (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              ) * (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              )
                                            ) + "t6"."number"
                                          ) % CAST('2147483647' AS BIGINT)
                                        )
                                      ) + "t6"."code"
                                    ) % CAST('2147483647' AS BIGINT)
                                  ) * CAST('48271' AS BIGINT)
                                ) + (
                                  (
                                    "t6"."number_g0" + CAST('1' AS BIGINT)
                                  ) * CAST('1640531527' AS BIGINT)
                                )
                              ) % CAST('2147483647' AS BIGINT)
                            ) * (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            (
                                              (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              ) * (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              )
                                            ) + "t6"."number"
                                          ) % CAST('2147483647' AS BIGINT)
                                        ) * (
                                          (
                                            (
                                              (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              ) * (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              )
                                            ) + "t6"."number"
                                          ) % CAST('2147483647' AS BIGINT)
                                        )
                                      ) + "t6"."code"
                                    ) % CAST('2147483647' AS BIGINT)
                                  ) * CAST('48271' AS BIGINT)
                                ) + (
                                  (
                                    "t6"."number_g0" + CAST('1' AS BIGINT)
                                  ) * CAST('1640531527' AS BIGINT)
                                )
                              ) % CAST('2147483647' AS BIGINT)
                            )
                          ) + (
                            (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t6"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t6"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t6"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t6"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t6"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t6"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t6"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t6"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t6"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t6"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t6"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          )
                        ) % CAST('2147483647' AS BIGINT)
                      ) * (
                        (
                          (
                            (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            (
                                              (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              ) * (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              )
                                            ) + "t6"."number"
                                          ) % CAST('2147483647' AS BIGINT)
                                        ) * (
                                          (
                                            (
                                              (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              ) * (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              )
                                            ) + "t6"."number"
                                          ) % CAST('2147483647' AS BIGINT)
                                        )
                                      ) + "t6"."code"
                                    ) % CAST('2147483647' AS BIGINT)
                                  ) * CAST('48271' AS BIGINT)
                                ) + (
                                  (
                                    "t6"."number_g0" + CAST('1' AS BIGINT)
                                  ) * CAST('1640531527' AS BIGINT)
                                )
                              ) % CAST('2147483647' AS BIGINT)
                            ) * (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            (
                                              (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              ) * (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              )
                                            ) + "t6"."number"
                                          ) % CAST('2147483647' AS BIGINT)
                                        ) * (
                                          (
                                            (
                                              (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              ) * (
                                                (
                                                  (
                                                    "t6"."number" * CAST('48271' AS BIGINT)
                                                  ) + (
                                                    (
                                                      "t6"."code" + CAST('1' AS BIGINT)
                                                    ) * CAST('1640531527' AS BIGINT)
                                                  )
                                                ) % CAST('2147483647' AS BIGINT)
                                              )
                                            ) + "t6"."number"
                                          ) % CAST('2147483647' AS BIGINT)
                                        )
                                      ) + "t6"."code"
                                    ) % CAST('2147483647' AS BIGINT)
                                  ) * CAST('48271' AS BIGINT)
                                ) + (
                                  (
                                    "t6"."number_g0" + CAST('1' AS BIGINT)
                                  ) * CAST('1640531527' AS BIGINT)
                                )
                              ) % CAST('2147483647' AS BIGINT)
                            )
                          ) + (
                            (
                              (
                                (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t6"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t6"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t6"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t6"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t6"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t6"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t6"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t6"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t6"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t6"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t6"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          )
                        ) % CAST('2147483647' AS BIGINT)
                      )
                    ) + "t6"."number_g0"
                  ) % CAST('2147483647' AS BIGINT) AS "order"
                FROM (
                  SELECT
                    "t5"."unit",
                    "t5"."code",
                    "t5"."g0",
                    "t5"."cell",
                    "t5"."held",
                    TO_NUMBER(
                      SUBSTRING(MD5("t5"."unit"), IFF((
                        0 + 1
                      ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t5"."unit"))), 8),
                      'XXXXXXXX'
                    ) % CAST('2147483647' AS BIGINT) AS "number",
                    TO_NUMBER(
                      SUBSTRING(MD5("t5"."g0"), IFF((
                        0 + 1
                      ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t5"."g0"))), 8),
                      'XXXXXXXX'
                    ) % CAST('2147483647' AS BIGINT) AS "number_g0"
                  FROM (
                    SELECT
                      "t4"."unit",
                      "t4"."code",
                      "t4"."g0",
                      "t4"."cell",
                      COUNT(*) AS "held"
                    FROM (
                      SELECT
                        "t3"."g0",
                        "t3"."unit",
                        "t3"."k_x",
                        "t3"."code",
                        "t3"."k_x" AS "cell"
                      FROM (
                        SELECT
                          "t2".*
                          EXCLUDE ("g1")
                        FROM (
                          SELECT
                            "t1"."g0",
                            "t1"."g1",
                            "t1"."unit",
                            "t1"."k_x",
                            "t1"."g1" AS "code"
                          FROM (
                            SELECT
                              COLLATE("t0"."h", '') AS "g0",
                              IFF(
                                "t0"."y" IS NULL,
                                CAST(NULL AS BIGINT),
                                CASE
                                  WHEN "t0"."y" < CAST('-2' AS BIGINT)
                                  THEN CAST('0' AS BIGINT)
                                  WHEN "t0"."y" >= CAST('9' AS BIGINT)
                                  THEN CAST('4' AS BIGINT)
                                  ELSE CAST(CAST((
                                    CAST((
                                      (
                                        GREATEST(CAST('-2' AS BIGINT), LEAST(CAST('9' AS BIGINT), "t0"."y")) - CAST('-2' AS BIGINT)
                                      ) * CAST('6' AS BIGINT)
                                    ) + CAST('3' AS BIGINT) AS DECIMAL(38, 0)) - (
                                      CAST((
                                        (
                                          GREATEST(CAST('-2' AS BIGINT), LEAST(CAST('9' AS BIGINT), "t0"."y")) - CAST('-2' AS BIGINT)
                                        ) * CAST('6' AS BIGINT)
                                      ) + CAST('3' AS BIGINT) AS DECIMAL(38, 0)) % CAST(CAST('23' AS BIGINT) AS DECIMAL(38, 0))
                                    )
                                  ) / CAST(CAST('23' AS BIGINT) AS DECIMAL(38, 0)) AS DECIMAL(38, 0)) AS BIGINT) + CAST('1' AS BIGINT)
                                END
                              ) AS "g1",
                              COLLATE("t0"."u", '') AS "unit",
                              IFF(
                                IFF("t0"."x" = CAST('NaN' AS DOUBLE), CAST(NULL AS DOUBLE), "t0"."x") IS NULL,
                                CAST(NULL AS BIGINT),
                                GREATEST(
                                  CAST('0' AS BIGINT),
                                  LEAST(
                                    CAST('20' AS BIGINT),
                                    CAST(FLOOR(
                                      (
                                        (
                                          GREATEST(
                                            CAST('0.0' AS DOUBLE),
                                            LEAST(
                                              CAST('10.0' AS DOUBLE),
                                              IFF("t0"."x" = CAST('NaN' AS DOUBLE), CAST(NULL AS DOUBLE), "t0"."x")
                                            )
                                          ) - CAST('0.0' AS DOUBLE)
                                        ) / CAST('0.5' AS DOUBLE)
                                      ) + CAST('0.5' AS DOUBLE)
                                    ) AS BIGINT)
                                  )
                                )
                              ) AS "k_x"
                            FROM "visits" AS "t0"
                          ) AS "t1"
                          WHERE
                            "t1"."unit" IS NOT NULL AND "t1"."g0" IS NOT NULL AND "t1"."g1" IS NOT NULL
                        ) AS "t2"
                      ) AS "t3"
                    ) AS "t4"
                    GROUP BY
                      1,
                      2,
                      3,
                      4
                  ) AS "t5"
                ) AS "t6"
              ) AS "t7"
            ) AS "t8"
          ) AS "t9"
          WHERE
            "t9"."place" < 2 AND "t9"."cell" IS NOT NULL
        ) AS "t10"
      ) AS "t11"
    ) AS "t12"
  ) AS "t13"
  GROUP BY
    1,
    2,
    3
) AS "t14";

-- rows
SELECT
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('1000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t2"."c0_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_0",
  CAST(GREATEST(
    CAST('-7000' AS DECIMAL(38, 0)),
    LEAST(
      CAST('7000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t2"."c1_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c1_0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('1000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t2"."c2_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c2_0",
  CAST(GREATEST(
    CAST('-1000' AS DECIMAL(38, 0)),
    LEAST(
      CAST('1000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t2"."c3_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c3_0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('1000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t2"."c4_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c4_0",
  CAST(GREATEST(
    CAST('-7000' AS DECIMAL(38, 0)),
    LEAST(
      CAST('7000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t2"."c5_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c5_0"
FROM (
  SELECT
    COUNT("t1"."k_z") AS "c0_0",
    SUM(CAST((
      "t1"."k_z" * 2
    ) - (
      CAST('1' AS BIGINT) * 7
    ) AS DECIMAL(38, 0))) AS "c1_0",
    COUNT("t1"."k_b") AS "c2_0",
    SUM(CAST((
      "t1"."k_b" * 2
    ) - (
      CAST('1' AS BIGINT) * 1
    ) AS DECIMAL(38, 0))) AS "c3_0",
    COUNT("t1"."k_d") AS "c4_0",
    SUM(CAST((
      "t1"."k_d" * 2
    ) - (
      CAST('1' AS BIGINT) * 7
    ) AS DECIMAL(38, 0))) AS "c5_0"
  FROM (
    SELECT
      IFF(
        "t0"."b" IS NULL,
        CAST(NULL AS BIGINT),
        IFF("t0"."b", CAST('1' AS BIGINT), CAST('0' AS BIGINT))
      ) AS "k_b",
      IFF(
        "t0"."d" IS NULL,
        CAST(NULL AS BIGINT),
        DATEDIFF(
          DAY,
          DATE_FROM_PARTS(1970, 1, 1),
          GREATEST(DATE_FROM_PARTS(2024, 2, 27), LEAST(DATE_FROM_PARTS(2024, 3, 5), "t0"."d"))
        ) - CAST('19780' AS BIGINT)
      ) AS "k_d",
      IFF(
        "t0"."z" IS NULL,
        CAST(NULL AS BIGINT),
        GREATEST(
          CAST('562949953421312' AS BIGINT),
          LEAST(
            CAST('562949953421319' AS BIGINT),
            CAST(CAST(FLOOR(
              CAST(GREATEST(
                CAST('562949953421312' AS BIGINT),
                LEAST(CAST('562949953421319' AS BIGINT), "t0"."z")
              ) AS DECIMAL(38, 3))
            ) AS DECIMAL(38, 3)) AS BIGINT) + IFF(
              (
                (
                  CAST(GREATEST(
                    CAST('562949953421312' AS BIGINT),
                    LEAST(CAST('562949953421319' AS BIGINT), "t0"."z")
                  ) AS DECIMAL(38, 3)) - CAST(CAST(FLOOR(
                    CAST(GREATEST(
                      CAST('562949953421312' AS BIGINT),
                      LEAST(CAST('562949953421319' AS BIGINT), "t0"."z")
                    ) AS DECIMAL(38, 3))
                  ) AS DECIMAL(38, 3)) AS BIGINT)
                ) * CAST('2' AS BIGINT)
              ) >= CAST('1' AS BIGINT),
              CAST('1' AS BIGINT),
              CAST('0' AS BIGINT)
            )
          )
        ) - CAST('562949953421312' AS BIGINT)
      ) AS "k_z"
    FROM "visits" AS "t0"
  ) AS "t1"
) AS "t2";
