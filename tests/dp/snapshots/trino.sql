-- moments
SELECT
  "t8"."code",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('450000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t8"."c0_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_0",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('224000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t8"."c0_1" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_1",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('450000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t8"."c0_2" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c0_2",
  CAST(GREATEST(
    CAST('0' AS DECIMAL(38, 0)),
    LEAST(
      CAST('2000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t8"."c2_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c2_0",
  CAST(GREATEST(
    CAST('-40000' AS DECIMAL(38, 0)),
    LEAST(
      CAST('40000' AS DECIMAL(38, 0)),
      COALESCE(CAST("t8"."c3_0" AS DECIMAL(38, 0)), CAST('0' AS DECIMAL(38, 0)))
    )
  ) AS BIGINT) AS "c3_0",
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
    SUM(
      CAST(IF(
        "t7"."rows_1y" > CAST('2' AS BIGINT),
        (
          CAST("t7"."c0_0" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t7"."c0_0" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t7"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t7"."rows_1y" AS DECIMAL(38, 0)),
        "t7"."c0_0"
      ) AS DECIMAL(38, 0))
    ) AS "c0_0",
    SUM(
      CAST(IF(
        "t7"."rows_1y" > CAST('2' AS BIGINT),
        (
          CAST("t7"."c0_1" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t7"."c0_1" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t7"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t7"."rows_1y" AS DECIMAL(38, 0)),
        "t7"."c0_1"
      ) AS DECIMAL(38, 0))
    ) AS "c0_1",
    SUM(
      CAST(IF(
        "t7"."rows_1y" > CAST('2' AS BIGINT),
        (
          CAST("t7"."c0_2" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
            CAST("t7"."c0_2" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t7"."rows_1y" AS DECIMAL(38, 0))
          )
        ) / CAST("t7"."rows_1y" AS DECIMAL(38, 0)),
        "t7"."c0_2"
      ) AS DECIMAL(38, 0))
    ) AS "c0_2",
    SUM(
      CAST(IF("t7"."rows_1x" > CAST('2' AS BIGINT), CAST('2' AS BIGINT), "t7"."rows_1x") AS DECIMAL(38, 0))
    ) AS "c2_0",
    SUM(
      CAST(IF(
        "t7"."rows_1x" > CAST('2' AS BIGINT),
        IF(
          (
            (
              "t7"."sum_x_20" * CAST('2' AS BIGINT)
            ) + (
              "t7"."rows_1x" * CAST('-20' AS BIGINT)
            )
          ) < CAST('0' AS BIGINT),
          -(
            (
              CAST(ABS(
                (
                  "t7"."sum_x_20" * CAST('2' AS BIGINT)
                ) + (
                  "t7"."rows_1x" * CAST('-20' AS BIGINT)
                )
              ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
                CAST(ABS(
                  (
                    "t7"."sum_x_20" * CAST('2' AS BIGINT)
                  ) + (
                    "t7"."rows_1x" * CAST('-20' AS BIGINT)
                  )
                ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t7"."rows_1x" AS DECIMAL(38, 0))
              )
            ) / CAST("t7"."rows_1x" AS DECIMAL(38, 0))
          ),
          (
            CAST(ABS(
              (
                "t7"."sum_x_20" * CAST('2' AS BIGINT)
              ) + (
                "t7"."rows_1x" * CAST('-20' AS BIGINT)
              )
            ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) - (
              CAST(ABS(
                (
                  "t7"."sum_x_20" * CAST('2' AS BIGINT)
                ) + (
                  "t7"."rows_1x" * CAST('-20' AS BIGINT)
                )
              ) * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) % CAST("t7"."rows_1x" AS DECIMAL(38, 0))
            )
          ) / CAST("t7"."rows_1x" AS DECIMAL(38, 0))
        ),
        (
          "t7"."sum_x_20" * CAST('2' AS BIGINT)
        ) + (
          "t7"."rows_1x" * CAST('-20' AS BIGINT)
        )
      ) AS DECIMAL(38, 0))
    ) AS "c3_0",
    COUNT(*) AS "unit"
  FROM (
    SELECT
      *
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
        "t5"."order",
        ROW_NUMBER() OVER (PARTITION BY "t5"."unit" ORDER BY "t5"."order" ASC) - 1 AS "place"
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
            ) * CAST('1048576' AS BIGINT)
          ) + "t4"."code" AS "order"
        FROM (
          SELECT
            "t3"."unit",
            "t3"."code",
            "t3"."c0_0",
            "t3"."c0_1",
            "t3"."c0_2",
            "t3"."rows_1y",
            "t3"."rows_1x",
            "t3"."sum_x_20",
            FROM_BASE(
              SUBSTR(
                TO_HEX(MD5(TO_UTF8("t3"."unit"))),
                IF((
                  0 + 1
                ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t3"."unit"))))),
                8
              ),
              16
            ) % CAST('2147483647' AS BIGINT) AS "number"
          FROM (
            SELECT
              "t2"."unit",
              "t2"."code",
              SUM(
                CAST((
                  (
                    CAST('1' AS BIGINT) * 15
                  ) - "t2"."k_y"
                ) * (
                  (
                    CAST('1' AS BIGINT) * 15
                  ) - "t2"."k_y"
                ) AS DECIMAL(38, 0))
              ) AS "c0_0",
              SUM(
                CAST("t2"."k_y" * 2 * (
                  (
                    CAST('1' AS BIGINT) * 15
                  ) - "t2"."k_y"
                ) AS DECIMAL(38, 0))
              ) AS "c0_1",
              SUM(CAST("t2"."k_y" * "t2"."k_y" AS DECIMAL(38, 0))) AS "c0_2",
              COUNT("t2"."k_y") AS "rows_1y",
              SUM(
                CAST(IF("t2"."k_x" IS NOT NULL, CAST('1' AS BIGINT), CAST(NULL AS BIGINT)) AS DECIMAL(38, 0))
              ) AS "rows_1x",
              SUM(CAST("t2"."k_x" AS DECIMAL(38, 0))) AS "sum_x_20"
            FROM (
              SELECT
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
            GROUP BY
              1,
              2
          ) AS "t3"
        ) AS "t4"
      ) AS "t5"
    ) AS "t6"
    WHERE
      "t6"."place" < 2
  ) AS "t7"
  GROUP BY
    1
) AS "t8";

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
      CAST(IF("t7"."rows" > CAST('3' AS BIGINT), CAST('3' AS BIGINT), "t7"."rows") AS DECIMAL(38, 0))
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
            FROM_BASE(
              SUBSTR(
                TO_HEX(MD5(TO_UTF8("t3"."unit"))),
                IF((
                  0 + 1
                ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t3"."unit"))))),
                8
              ),
              16
            ) % CAST('2147483647' AS BIGINT) AS "number",
            FROM_BASE(
              SUBSTR(
                TO_HEX(MD5(TO_UTF8("t3"."g0"))),
                IF((
                  0 + 1
                ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t3"."g0"))))),
                8
              ),
              16
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
      IF(
        "t9"."all" > CAST('3' AS BIGINT),
        CAST((
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
        ) / CAST("t9"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) AS BIGINT) - CAST((
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
        ) / CAST("t9"."all" * CAST('2' AS BIGINT) AS DECIMAL(38, 0)) AS BIGINT),
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
                  FROM_BASE(
                    SUBSTR(
                      TO_HEX(MD5(TO_UTF8("t3"."unit"))),
                      IF((
                        0 + 1
                      ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t3"."unit"))))),
                      8
                    ),
                    16
                  ) % CAST('2147483647' AS BIGINT) AS "number",
                  FROM_BASE(
                    SUBSTR(
                      TO_HEX(MD5(TO_UTF8("t3"."g0"))),
                      IF((
                        0 + 1
                      ) >= 1, 0 + 1, 0 + 1 + LENGTH(TO_HEX(MD5(TO_UTF8("t3"."g0"))))),
                      8
                    ),
                    16
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
