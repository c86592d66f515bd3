-- moments
SELECT
  "t10"."code",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('450000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t10"."c0_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('224000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t10"."c0_1" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_1",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('450000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t10"."c0_2" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_2",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('2000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t10"."c2_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c2_0",
  CAST(GREATEST(
    CAST('-40000' AS DECIMAL(38, 0)),
    LEAST(
      CAST('40000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t10"."c3_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c3_0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('1000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t10"."unit" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "unit"
FROM (
  SELECT
    "t9"."code",
    SUM(
      CAST(IFF(
        "t9"."rows_1y" > CAST('2' AS BIGINT),
        CAST((
          CAST("t9"."c0_0" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t9"."c0_0" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t9"."rows_1y" AS DECIMAL(38, 0)) AS DECIMAL(38, 0)),
        "t9"."c0_0"
      ) AS DECIMAL(38, 0))
    ) AS "c0_0",
    SUM(
      CAST(IFF(
        "t9"."rows_1y" > CAST('2' AS BIGINT),
        CAST((
          CAST("t9"."c0_1" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t9"."c0_1" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t9"."rows_1y" AS DECIMAL(38, 0)) AS DECIMAL(38, 0)),
        "t9"."c0_1"
      ) AS DECIMAL(38, 0))
    ) AS "c0_1",
    SUM(
      CAST(IFF(
        "t9"."rows_1y" > CAST('2' AS BIGINT),
        CAST((
          CAST("t9"."c0_2" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t9"."c0_2" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t9"."rows_1y" AS DECIMAL(38, 0)) AS DECIMAL(38, 0)),
        "t9"."c0_2"
      ) AS DECIMAL(38, 0))
    ) AS "c0_2",
    SUM(
      CAST(IFF("t9"."rows_1x" > CAST('2' AS BIGINT), CAST('2' AS BIGINT), "t9"."rows_1x") AS DECIMAL(38, 0))
    ) AS "c2_0",
    SUM(
      CAST(IFF(
        "t9"."rows_1x" > CAST('2' AS BIGINT),
        IFF(
          (
            (
              "t9"."sum_x_20" * CAST('2' AS BIGINT)
            ) + (
              "t9"."rows_1x" * CAST('-20' AS BIGINT)
            )
          ) < CAST('0' AS BIGINT),
          -(
            CAST((
              CAST(ABS(
                (
                  "t9"."sum_x_20" * CAST('2' AS BIGINT)
                ) + (
                  "t9"."rows_1x" * CAST('-20' AS BIGINT)
                )
              ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
                CAST(ABS(
                  (
                    "t9"."sum_x_20" * CAST('2' AS BIGINT)
                  ) + (
                    "t9"."rows_1x" * CAST('-20' AS BIGINT)
                  )
                ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."rows_1x" AS DECIMAL(38, 0))
              )
            ) / CAST("t9"."rows_1x" AS DECIMAL(38, 0)) AS DECIMAL(38, 0))
          ),
          CAST((
            CAST(ABS(
              (
                "t9"."sum_x_20" * CAST('2' AS BIGINT)
              ) + (
                "t9"."rows_1x" * CAST('-20' AS BIGINT)
              )
            ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
              CAST(ABS(
                (
                  "t9"."sum_x_20" * CAST('2' AS BIGINT)
                ) + (
                  "t9"."rows_1x" * CAST('-20' AS BIGINT)
                )
              ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."rows_1x" AS DECIMAL(38, 0))
            )
          ) / CAST("t9"."rows_1x" AS DECIMAL(38, 0)) AS DECIMAL(38, 0))
        ),
        (
          "t9"."sum_x_20" * CAST('2' AS BIGINT)
        ) + (
          "t9"."rows_1x" * CAST('-20' AS BIGINT)
        )
      ) AS DECIMAL(38, 0))
    ) AS "c3_0",
    COUNT(*) AS "unit"
  FROM (
    SELECT
      *
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
        "t7"."order",
        ROW_NUMBER() OVER (PARTITION BY "t7"."unit" ORDER BY "t7"."order" ASC) - 1 AS "place"
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
            ) * CAST('1048576' AS BIGINT)
          ) + "t6"."code" AS "order"
        FROM (
          SELECT
            "t5"."unit",
            "t5"."code",
            "t5"."c0_0",
            "t5"."c0_1",
            "t5"."c0_2",
            "t5"."rows_1y",
            "t5"."rows_1x",
            "t5"."sum_x_20",
            TO_NUMBER(
              SUBSTRING(MD5("t5"."unit"), IFF((
                0 + 1
              ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t5"."unit"))), 8),
              'XXXXXXXX'
            ) % CAST('2147483647' AS BIGINT) AS "number"
          FROM (
            SELECT
              "t4"."unit",
              "t4"."code",
              SUM(
                CAST((
                  (
                    CAST('1' AS BIGINT) * 15
                  ) - "t4"."k_y"
                ) * (
                  (
                    CAST('1' AS BIGINT) * 15
                  ) - "t4"."k_y"
                ) AS DECIMAL(38, 0))
              ) AS "c0_0",
              SUM(
                CAST("t4"."k_y" * 2 * (
                  (
                    CAST('1' AS BIGINT) * 15
                  ) - "t4"."k_y"
                ) AS DECIMAL(38, 0))
              ) AS "c0_1",
              SUM(CAST("t4"."k_y" * "t4"."k_y" AS DECIMAL(38, 0))) AS "c0_2",
              COUNT("t4"."k_y") AS "rows_1y",
              SUM(
                CAST(IFF("t4"."k_x" IS NOT NULL, CAST('1' AS BIGINT), CAST(NULL AS BIGINT)) AS DECIMAL(38, 0))
              ) AS "rows_1x",
              SUM(CAST("t4"."k_x" AS DECIMAL(38, 0))) AS "sum_x_20"
            FROM (
              SELECT
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
            GROUP BY
              1,
              2
          ) AS "t5"
        ) AS "t6"
      ) AS "t7"
    ) AS "t8"
    WHERE
      "t8"."place" < 2
  ) AS "t9"
  GROUP BY
    1
) AS "t10";

-- cells
SELECT
  "t8"."code",
  "t8"."g0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('3000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t8"."c1_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c1_0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('1000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t8"."unit" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "unit"
FROM (
  SELECT
    "t7"."code",
    "t7"."g0",
    SUM(
      CAST(IFF("t7"."rows" > CAST('3' AS BIGINT), CAST('3' AS BIGINT), "t7"."rows") AS DECIMAL(38, 0))
    ) AS "c1_0",
    COUNT(*) AS "unit"
  FROM (
    SELECT
      *
    FROM (
      SELECT
        "t5"."unit",
        "t5"."code",
        "t5"."g0",
        "t5"."rows",
        "t5"."order",
        ROW_NUMBER() OVER (
          PARTITION BY "t5"."unit"
          ORDER BY "t5"."order" ASC, "t5"."code" ASC, "t5"."g0" ASC
        ) - 1 AS "place"
      FROM (
        SELECT
          "t4"."unit",
          "t4"."code",
          "t4"."g0",
          "t4"."rows",
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
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t4"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          ) * CAST('48271' AS BIGINT)
                        ) + (
                          (
                            "t4"."number_g0" + CAST('1' AS BIGINT)
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
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t4"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          ) * CAST('48271' AS BIGINT)
                        ) + (
                          (
                            "t4"."number_g0" + CAST('1' AS BIGINT)
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
                                    "t4"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t4"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    "t4"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t4"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t4"."number"
                          ) % CAST('2147483647' AS BIGINT)
                        ) * (
                          (
                            (
                              (
                                (
                                  (
                                    "t4"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t4"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    "t4"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t4"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t4"."number"
                          ) % CAST('2147483647' AS BIGINT)
                        )
                      ) + "t4"."code"
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
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t4"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          ) * CAST('48271' AS BIGINT)
                        ) + (
                          (
                            "t4"."number_g0" + CAST('1' AS BIGINT)
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
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * (
                                  (
                                    (
                                      (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            "t4"."number" * CAST('48271' AS BIGINT)
                                          ) + (
                                            (
                                              "t4"."code" + CAST('1' AS BIGINT)
                                            ) * CAST('1640531527' AS BIGINT)
                                          )
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."number"
                                  ) % CAST('2147483647' AS BIGINT)
                                )
                              ) + "t4"."code"
                            ) % CAST('2147483647' AS BIGINT)
                          ) * CAST('48271' AS BIGINT)
                        ) + (
                          (
                            "t4"."number_g0" + CAST('1' AS BIGINT)
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
                                    "t4"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t4"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    "t4"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t4"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t4"."number"
                          ) % CAST('2147483647' AS BIGINT)
                        ) * (
                          (
                            (
                              (
                                (
                                  (
                                    "t4"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t4"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    "t4"."number" * CAST('48271' AS BIGINT)
                                  ) + (
                                    (
                                      "t4"."code" + CAST('1' AS BIGINT)
                                    ) * CAST('1640531527' AS BIGINT)
                                  )
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t4"."number"
                          ) % CAST('2147483647' AS BIGINT)
                        )
                      ) + "t4"."code"
                    ) % CAST('2147483647' AS BIGINT)
                  )
                ) % CAST('2147483647' AS BIGINT)
              )
            ) + "t4"."number_g0"
          ) % CAST('2147483647' AS BIGINT) AS "order"
        FROM (
          SELECT
            "t3"."unit",
            "t3"."code",
            "t3"."g0",
            "t3"."rows",
            TO_NUMBER(
              SUBSTRING(MD5("t3"."unit"), IFF((
                0 + 1
              ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t3"."unit"))), 8),
              'XXXXXXXX'
            ) % CAST('2147483647' AS BIGINT) AS "number",
            TO_NUMBER(
              SUBSTRING(MD5("t3"."g0"), IFF((
                0 + 1
              ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t3"."g0"))), 8),
              'XXXXXXXX'
            ) % CAST('2147483647' AS BIGINT) AS "number_g0"
          FROM (
            SELECT
              "t2"."unit",
              "t2"."code",
              "t2"."g0",
              COUNT(*) AS "rows"
            FROM (
              SELECT
                "t1"."g0",
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
            GROUP BY
              1,
              2,
              3
          ) AS "t3"
        ) AS "t4"
      ) AS "t5"
    ) AS "t6"
    WHERE
      "t6"."place" < 2
  ) AS "t7"
  GROUP BY
    1,
    2
) AS "t8";

-- cells
SELECT
  "t11"."code",
  "t11"."g0",
  "t11"."cell",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('3000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t11"."rows" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "rows"
FROM (
  SELECT
    "t10"."code",
    "t10"."g0",
    "t10"."cell",
    SUM(CAST("t10"."rows" AS DECIMAL(38, 0))) AS "rows"
  FROM (
    SELECT
      "t9"."unit",
      "t9"."code",
      "t9"."g0",
      "t9"."cell",
      "t9"."held",
      "t9"."order",
      "t9"."place",
      "t9"."all",
      "t9"."end",
      IFF(
        "t9"."all" > CAST('3' AS BIGINT),
        CAST(CAST((
          CAST((
            (
              "t9"."end" * CAST('6' AS BIGINT)
            ) + "t9"."all"
          ) - CAST('1' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST((
              (
                "t9"."end" * CAST('6' AS BIGINT)
              ) + "t9"."all"
            ) - CAST('1' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0))
          )
        ) / CAST("t9"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) AS DECIMAL(38, 0)) AS BIGINT) - CAST(CAST((
          CAST((
            (
              (
                "t9"."end" - "t9"."held"
              ) * CAST('6' AS BIGINT)
            ) + "t9"."all"
          ) - CAST('1' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST((
              (
                (
                  "t9"."end" - "t9"."held"
                ) * CAST('6' AS BIGINT)
              ) + "t9"."all"
            ) - CAST('1' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0))
          )
        ) / CAST("t9"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) AS DECIMAL(38, 0)) AS BIGINT),
        "t9"."held"
      ) AS "rows"
    FROM (
      SELECT
        "t8"."unit",
        "t8"."code",
        "t8"."g0",
        "t8"."cell",
        "t8"."held",
        "t8"."order",
        "t8"."place",
        "t8"."all",
        SUM("t8"."held") OVER (
          PARTITION BY "t8"."unit", "t8"."code", "t8"."g0"
          ORDER BY "t8"."cell" ASC
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS "end"
      FROM (
        SELECT
          "t7"."unit",
          "t7"."code",
          "t7"."g0",
          "t7"."cell",
          "t7"."held",
          "t7"."order",
          "t7"."place",
          SUM("t7"."held") OVER (
            PARTITION BY "t7"."unit", "t7"."code", "t7"."g0"
            ORDER BY NULL ASC
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
          ) AS "all"
        FROM (
          SELECT
            *
          FROM (
            SELECT
              "t5"."unit",
              "t5"."code",
              "t5"."g0",
              "t5"."cell",
              "t5"."held",
              "t5"."order",
              DENSE_RANK() OVER (
                PARTITION BY "t5"."unit"
                ORDER BY "t5"."order" ASC, "t5"."code" ASC, "t5"."g0" ASC
              ) - 1 AS "place"
            FROM (
              SELECT
                "t4"."unit",
                "t4"."code",
                "t4"."g0",
                "t4"."cell",
                "t4"."held",
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
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            ) * (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            )
                                          ) + "t4"."number"
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            ) * (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            )
                                          ) + "t4"."number"
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."code"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * CAST('48271' AS BIGINT)
                              ) + (
                                (
                                  "t4"."number_g0" + CAST('1' AS BIGINT)
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
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            ) * (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            )
                                          ) + "t4"."number"
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            ) * (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            )
                                          ) + "t4"."number"
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."code"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * CAST('48271' AS BIGINT)
                              ) + (
                                (
                                  "t4"."number_g0" + CAST('1' AS BIGINT)
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
                                          "t4"."number" * CAST('48271' AS BIGINT)
                                        ) + (
                                          (
                                            "t4"."code" + CAST('1' AS BIGINT)
                                          ) * CAST('1640531527' AS BIGINT)
                                        )
                                      ) % CAST('2147483647' AS BIGINT)
                                    ) * (
                                      (
                                        (
                                          "t4"."number" * CAST('48271' AS BIGINT)
                                        ) + (
                                          (
                                            "t4"."code" + CAST('1' AS BIGINT)
                                          ) * CAST('1640531527' AS BIGINT)
                                        )
                                      ) % CAST('2147483647' AS BIGINT)
                                    )
                                  ) + "t4"."number"
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    (
                                      (
                                        (
                                          "t4"."number" * CAST('48271' AS BIGINT)
                                        ) + (
                                          (
                                            "t4"."code" + CAST('1' AS BIGINT)
                                          ) * CAST('1640531527' AS BIGINT)
                                        )
                                      ) % CAST('2147483647' AS BIGINT)
                                    ) * (
                                      (
                                        (
                                          "t4"."number" * CAST('48271' AS BIGINT)
                                        ) + (
                                          (
                                            "t4"."code" + CAST('1' AS BIGINT)
                                          ) * CAST('1640531527' AS BIGINT)
                                        )
                                      ) % CAST('2147483647' AS BIGINT)
                                    )
                                  ) + "t4"."number"
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t4"."code"
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
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            ) * (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            )
                                          ) + "t4"."number"
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            ) * (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            )
                                          ) + "t4"."number"
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."code"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * CAST('48271' AS BIGINT)
                              ) + (
                                (
                                  "t4"."number_g0" + CAST('1' AS BIGINT)
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
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            ) * (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            )
                                          ) + "t4"."number"
                                        ) % CAST('2147483647' AS BIGINT)
                                      ) * (
                                        (
                                          (
                                            (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            ) * (
                                              (
                                                (
                                                  "t4"."number" * CAST('48271' AS BIGINT)
                                                ) + (
                                                  (
                                                    "t4"."code" + CAST('1' AS BIGINT)
                                                  ) * CAST('1640531527' AS BIGINT)
                                                )
                                              ) % CAST('2147483647' AS BIGINT)
                                            )
                                          ) + "t4"."number"
                                        ) % CAST('2147483647' AS BIGINT)
                                      )
                                    ) + "t4"."code"
                                  ) % CAST('2147483647' AS BIGINT)
                                ) * CAST('48271' AS BIGINT)
                              ) + (
                                (
                                  "t4"."number_g0" + CAST('1' AS BIGINT)
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
                                          "t4"."number" * CAST('48271' AS BIGINT)
                                        ) + (
                                          (
                                            "t4"."code" + CAST('1' AS BIGINT)
                                          ) * CAST('1640531527' AS BIGINT)
                                        )
                                      ) % CAST('2147483647' AS BIGINT)
                                    ) * (
                                      (
                                        (
                                          "t4"."number" * CAST('48271' AS BIGINT)
                                        ) + (
                                          (
                                            "t4"."code" + CAST('1' AS BIGINT)
                                          ) * CAST('1640531527' AS BIGINT)
                                        )
                                      ) % CAST('2147483647' AS BIGINT)
                                    )
                                  ) + "t4"."number"
                                ) % CAST('2147483647' AS BIGINT)
                              ) * (
                                (
                                  (
                                    (
                                      (
                                        (
                                          "t4"."number" * CAST('48271' AS BIGINT)
                                        ) + (
                                          (
                                            "t4"."code" + CAST('1' AS BIGINT)
                                          ) * CAST('1640531527' AS BIGINT)
                                        )
                                      ) % CAST('2147483647' AS BIGINT)
                                    ) * (
                                      (
                                        (
                                          "t4"."number" * CAST('48271' AS BIGINT)
                                        ) + (
                                          (
                                            "t4"."code" + CAST('1' AS BIGINT)
                                          ) * CAST('1640531527' AS BIGINT)
                                        )
                                      ) % CAST('2147483647' AS BIGINT)
                                    )
                                  ) + "t4"."number"
                                ) % CAST('2147483647' AS BIGINT)
                              )
                            ) + "t4"."code"
                          ) % CAST('2147483647' AS BIGINT)
                        )
                      ) % CAST('2147483647' AS BIGINT)
                    )
                  ) + "t4"."number_g0"
                ) % CAST('2147483647' AS BIGINT) AS "order"
              FROM (
                SELECT
                  "t3"."unit",
                  "t3"."code",
                  "t3"."g0",
                  "t3"."cell",
                  "t3"."held",
                  TO_NUMBER(
                    SUBSTRING(MD5("t3"."unit"), IFF((
                      0 + 1
                    ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t3"."unit"))), 8),
                    'XXXXXXXX'
                  ) % CAST('2147483647' AS BIGINT) AS "number",
                  TO_NUMBER(
                    SUBSTRING(MD5("t3"."g0"), IFF((
                      0 + 1
                    ) >= 1, 0 + 1, 0 + 1 + LENGTH(MD5("t3"."g0"))), 8),
                    'XXXXXXXX'
                  ) % CAST('2147483647' AS BIGINT) AS "number_g0"
                FROM (
                  SELECT
                    "t2"."unit",
                    "t2"."code",
                    "t2"."g0",
                    "t2"."cell",
                    COUNT(*) AS "held"
                  FROM (
                    SELECT
                      "t1"."g0",
                      "t1"."unit",
                      "t1"."k_x",
                      "t1"."g1" AS "code",
                      "t1"."k_x" AS "cell"
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
                  GROUP BY
                    1,
                    2,
                    3,
                    4
                ) AS "t3"
              ) AS "t4"
            ) AS "t5"
          ) AS "t6"
          WHERE
            "t6"."place" < 2 AND "t6"."cell" IS NOT NULL
        ) AS "t7"
      ) AS "t8"
    ) AS "t9"
  ) AS "t10"
  GROUP BY
    1,
    2,
    3
) AS "t11";

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
