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
      CAST(IF(
        "t9"."rows_1y" > CAST('2' AS BIGINT),
        (
          CAST("t9"."c0_0" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t9"."c0_0" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t9"."rows_1y" AS DECIMAL(38, 0)),
        "t9"."c0_0"
      ) AS DECIMAL(38, 0))
    ) AS "c0_0",
    SUM(
      CAST(IF(
        "t9"."rows_1y" > CAST('2' AS BIGINT),
        (
          CAST("t9"."c0_1" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t9"."c0_1" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t9"."rows_1y" AS DECIMAL(38, 0)),
        "t9"."c0_1"
      ) AS DECIMAL(38, 0))
    ) AS "c0_1",
    SUM(
      CAST(IF(
        "t9"."rows_1y" > CAST('2' AS BIGINT),
        (
          CAST("t9"."c0_2" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t9"."c0_2" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t9"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t9"."rows_1y" AS DECIMAL(38, 0)),
        "t9"."c0_2"
      ) AS DECIMAL(38, 0))
    ) AS "c0_2",
    SUM(
      CAST(IF("t9"."rows_1x" > CAST('2' AS BIGINT), CAST('2' AS BIGINT), "t9"."rows_1x") AS DECIMAL(38, 0))
    ) AS "c2_0",
    SUM(
      CAST(IF(
        "t9"."rows_1x" > CAST('2' AS BIGINT),
        IF(
          (
            (
              "t9"."sum_x_20" * CAST('2' AS BIGINT)
            ) + (
              "t9"."rows_1x" * CAST('-20' AS BIGINT)
            )
          ) < CAST('0' AS BIGINT),
          -(
            (
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
            ) / CAST("t9"."rows_1x" AS DECIMAL(38, 0))
          ),
          (
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
          ) / CAST("t9"."rows_1x" AS DECIMAL(38, 0))
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
          "t6"."order"
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
            "t5"."number",
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
              ) * CAST('1048576' AS BIGINT)
            ) + "t5"."code" AS "order"
          FROM (
            SELECT
              "t4"."unit",
              "t4"."code",
              "t4"."c0_0",
              "t4"."c0_1",
              "t4"."c0_2",
              "t4"."rows_1y",
              "t4"."rows_1x",
              "t4"."sum_x_20",
              FROM_BASE(
                SUBSTR(
                  TO_HEX(MD5(TO_UTF8("t4"."unit"))),
                  IF((
                    0 + 1
                  ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t4"."unit"))))),
                  8
                ),
                16
              ) % CAST('2147483647' AS BIGINT) AS "number"
            FROM (
              SELECT
                "t3"."unit",
                "t3"."code",
                SUM(
                  CAST((
                    (
                      CAST('1' AS BIGINT) * 15
                    ) - "t3"."k_y"
                  ) * (
                    (
                      CAST('1' AS BIGINT) * 15
                    ) - "t3"."k_y"
                  ) AS DECIMAL(38, 0))
                ) AS "c0_0",
                SUM(
                  CAST("t3"."k_y" * 2 * (
                    (
                      CAST('1' AS BIGINT) * 15
                    ) - "t3"."k_y"
                  ) AS DECIMAL(38, 0))
                ) AS "c0_1",
                SUM(CAST("t3"."k_y" * "t3"."k_y" AS DECIMAL(38, 0))) AS "c0_2",
                COUNT("t3"."k_y") AS "rows_1y",
                SUM(
                  CAST(IF("t3"."k_x" IS NOT NULL, CAST('1' AS BIGINT), CAST(NULL AS BIGINT)) AS DECIMAL(38, 0))
                ) AS "rows_1x",
                SUM(CAST("t3"."k_x" AS DECIMAL(38, 0))) AS "sum_x_20"
              FROM (
                SELECT
                  "t2"."unit",
                  "t2"."k_x",
                  "t2"."k_y",
                  "t2"."code"
                FROM (
                  SELECT
                    "t1"."g0",
                    "t1"."unit",
                    "t1"."k_x",
                    "t1"."k_y",
                    "t1"."g0" AS "code"
                  FROM (
                    SELECT
                      CASE
                        WHEN "t0"."g" = 'a'
                        THEN CAST('0' AS BIGINT)
                        WHEN "t0"."g" = 'b'
                        THEN CAST('1' AS BIGINT)
                        WHEN "t0"."g" = 'é|'
                        THEN CAST('2' AS BIGINT)
                        WHEN "t0"."g" = 'é|'
                        THEN CAST('3' AS BIGINT)
                        WHEN "t0"."g" = 'a|b'
                        THEN CAST('4' AS BIGINT)
                        WHEN "t0"."g" = 'A'
                        THEN CAST('5' AS BIGINT)
                        ELSE NULL
                      END AS "g0",
                      "t0"."u" AS "unit",
                      IF(
                        IF(IS_NAN("t0"."x"), CAST(NULL AS DOUBLE), "t0"."x") IS NULL,
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
                                    LEAST(CAST('10.0' AS DOUBLE), IF(IS_NAN("t0"."x"), CAST(NULL AS DOUBLE), "t0"."x"))
                                  ) - CAST('0.0' AS DOUBLE)
                                ) / CAST('0.5' AS DOUBLE)
                              ) + CAST('0.5' AS DOUBLE)
                            ) AS BIGINT)
                          )
                        )
                      ) AS "k_x",
                      IF(
                        "t0"."y" IS NULL,
                        CAST(NULL AS BIGINT),
                        GREATEST(CAST('-3' AS BIGINT), LEAST(CAST('12' AS BIGINT), "t0"."y")) - CAST('-3' AS BIGINT)
                      ) AS "k_y"
                    FROM "visits" AS "t0"
                    WHERE
                      "t0"."d" >= FROM_ISO8601_DATE('2024-02-29')
                      AND "t0"."z" < CAST('1.001' AS DECIMAL(38, 3))
                      AND CAST(CAST("t0"."b" AS INTEGER) AS BIGINT) = CAST('1' AS BIGINT)
                      AND "t0"."u" IS NOT NULL
                  ) AS "t1"
                  WHERE
                    "t1"."g0" IS NOT NULL
                ) AS "t2"
              ) AS "t3"
              GROUP BY
                1,
                2
            ) AS "t4"
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
      CAST(IF("t8"."rows" > CAST('3' AS BIGINT), CAST('3' AS BIGINT), "t8"."rows") AS DECIMAL(38, 0))
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
            FROM_BASE(
              SUBSTR(
                TO_HEX(MD5(TO_UTF8("t4"."unit"))),
                IF((
                  0 + 1
                ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t4"."unit"))))),
                8
              ),
              16
            ) % CAST('2147483647' AS BIGINT) AS "number",
            FROM_BASE(
              SUBSTR(
                TO_HEX(MD5(TO_UTF8("t4"."g0"))),
                IF((
                  0 + 1
                ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t4"."g0"))))),
                8
              ),
              16
            ) % CAST('2147483647' AS BIGINT) AS "number_g0"
          FROM (
            SELECT
              "t3"."unit",
              "t3"."code",
              "t3"."g0",
              COUNT(*) AS "rows"
            FROM (
              SELECT
                "t2"."g0",
                "t2"."unit",
                "t2"."k_x",
                "t2"."code"
              FROM (
                SELECT
                  "t1"."g0",
                  "t1"."g1",
                  "t1"."unit",
                  "t1"."k_x",
                  "t1"."g1" AS "code"
                FROM (
                  SELECT
                    "t0"."h" AS "g0",
                    IF(
                      "t0"."y" IS NULL,
                      CAST(NULL AS BIGINT),
                      CASE
                        WHEN "t0"."y" < CAST('-2' AS BIGINT)
                        THEN CAST('0' AS BIGINT)
                        WHEN "t0"."y" >= CAST('9' AS BIGINT)
                        THEN CAST('4' AS BIGINT)
                        ELSE CAST((
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
                        ) / CAST(CAST('23' AS BIGINT) AS DECIMAL(38, 0)) AS BIGINT) + CAST('1' AS BIGINT)
                      END
                    ) AS "g1",
                    "t0"."u" AS "unit",
                    IF(
                      IF(IS_NAN("t0"."x"), CAST(NULL AS DOUBLE), "t0"."x") IS NULL,
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
                                  LEAST(CAST('10.0' AS DOUBLE), IF(IS_NAN("t0"."x"), CAST(NULL AS DOUBLE), "t0"."x"))
                                ) - CAST('0.0' AS DOUBLE)
                              ) / CAST('0.5' AS DOUBLE)
                            ) + CAST('0.5' AS DOUBLE)
                          ) AS BIGINT)
                        )
                      )
                    ) AS "k_x"
                  FROM "visits" AS "t0"
                  WHERE
                    "t0"."u" IS NOT NULL
                ) AS "t1"
                WHERE
                  "t1"."g0" IS NOT NULL AND "t1"."g1" IS NOT NULL
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
      IF(
        "t12"."all" > CAST('3' AS BIGINT),
        CAST((
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
        ) / CAST("t12"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) AS BIGINT) - CAST((
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
        ) / CAST("t12"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) AS BIGINT),
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
                "t7"."unit",
                "t7"."code",
                "t7"."g0",
                "t7"."cell",
                "t7"."held",
                "t7"."order"
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
                    FROM_BASE(
                      SUBSTR(
                        TO_HEX(MD5(TO_UTF8("t5"."unit"))),
                        IF((
                          0 + 1
                        ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t5"."unit"))))),
                        8
                      ),
                      16
                    ) % CAST('2147483647' AS BIGINT) AS "number",
                    FROM_BASE(
                      SUBSTR(
                        TO_HEX(MD5(TO_UTF8("t5"."g0"))),
                        IF((
                          0 + 1
                        ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t5"."g0"))))),
                        8
                      ),
                      16
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
                          "t2"."g0",
                          "t2"."unit",
                          "t2"."k_x",
                          "t2"."code"
                        FROM (
                          SELECT
                            "t1"."g0",
                            "t1"."g1",
                            "t1"."unit",
                            "t1"."k_x",
                            "t1"."g1" AS "code"
                          FROM (
                            SELECT
                              "t0"."h" AS "g0",
                              IF(
                                "t0"."y" IS NULL,
                                CAST(NULL AS BIGINT),
                                CASE
                                  WHEN "t0"."y" < CAST('-2' AS BIGINT)
                                  THEN CAST('0' AS BIGINT)
                                  WHEN "t0"."y" >= CAST('9' AS BIGINT)
                                  THEN CAST('4' AS BIGINT)
                                  ELSE CAST((
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
                                  ) / CAST(CAST('23' AS BIGINT) AS DECIMAL(38, 0)) AS BIGINT) + CAST('1' AS BIGINT)
                                END
                              ) AS "g1",
                              "t0"."u" AS "unit",
                              IF(
                                IF(IS_NAN("t0"."x"), CAST(NULL AS DOUBLE), "t0"."x") IS NULL,
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
                                            LEAST(CAST('10.0' AS DOUBLE), IF(IS_NAN("t0"."x"), CAST(NULL AS DOUBLE), "t0"."x"))
                                          ) - CAST('0.0' AS DOUBLE)
                                        ) / CAST('0.5' AS DOUBLE)
                                      ) + CAST('0.5' AS DOUBLE)
                                    ) AS BIGINT)
                                  )
                                )
                              ) AS "k_x"
                            FROM "visits" AS "t0"
                            WHERE
                              "t0"."u" IS NOT NULL
                          ) AS "t1"
                          WHERE
                            "t1"."g0" IS NOT NULL AND "t1"."g1" IS NOT NULL
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
      IF(
        "t0"."b" IS NULL,
        CAST(NULL AS BIGINT),
        IF("t0"."b", CAST('1' AS BIGINT), CAST('0' AS BIGINT))
      ) AS "k_b",
      IF(
        "t0"."d" IS NULL,
        CAST(NULL AS BIGINT),
        DATE_DIFF(
          'DAY',
          DATE_TRUNC('DAY', FROM_ISO8601_DATE('1970-01-01')),
          DATE_TRUNC(
            'DAY',
            GREATEST(FROM_ISO8601_DATE('2024-02-27'), LEAST(FROM_ISO8601_DATE('2024-03-05'), "t0"."d"))
          )
        ) - CAST('19780' AS BIGINT)
      ) AS "k_d",
      IF(
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
            ) AS DECIMAL(38, 3)) AS BIGINT) + IF(
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
