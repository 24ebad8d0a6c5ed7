CREATE TEMP TABLE entities (i bigint, t timestamptz, s0 timestamptz, s1 timestamptz, k0 bigint, k1 text) ON COMMIT DROP;

CREATE TEMP TABLE rows_3 ON COMMIT DROP AS
SELECT source."k" AS k0, source."other"::text COLLATE "C" AS k1, source."ts" AS at, source."created" AS made, source.ctid AS place0, source."f1" AS c0, source."a ""b"" %" AS c1
FROM plain AS source
WITH NO DATA;

INSERT INTO rows_3
SELECT taken.*
FROM (
SELECT source."k" AS k0, source."other"::text COLLATE "C" AS k1, source."ts" AS at, source."created" AS made, source.ctid AS place0, source."f1" AS c0, source."a ""b"" %" AS c1
FROM plain AS source
WHERE source."ts" <= $1::timestamptz AND source."ts" >= $2::timestamptz
) AS taken
WHERE EXISTS (SELECT FROM entities AS e WHERE taken.k0 = e.k0 AND taken.k1 = e.k1);

CREATE INDEX ON rows_3 (k0, k1, at DESC, made DESC NULLS LAST, place0);

CREATE TEMP TABLE rows_4 ON COMMIT DROP AS
SELECT source."day" AS at, row_number() OVER () AS place0, source."f1" AS c0
FROM (SELECT * FROM plain WHERE f1 > 0
) AS source
WITH NO DATA;

INSERT INTO rows_4
SELECT taken.*
FROM (
SELECT source."day" AS at, row_number() OVER () AS place0, source."f1" AS c0
FROM (SELECT * FROM plain WHERE f1 > 0
) AS source
WHERE source."day" <= ($1::timestamptz AT TIME ZONE 'UTC')
) AS taken;

CREATE INDEX ON rows_4 (at DESC, place0);

SELECT v0.c0, v0.c1, v0.c0, v1.c0, v2.c0, v3.c0, v3.c1, v3.c0, v4.c0, e.i, CASE WHEN v0.infinite THEN 0 WHEN v1.infinite THEN 1 WHEN v2.infinite THEN 2 WHEN v3.infinite THEN 3 WHEN v4.infinite THEN 4 END AS infinite
FROM entities AS e
LEFT JOIN LATERAL (
  SELECT source."ts" AS at
  FROM indexed AS source
  WHERE source."k" = e.k0
    AND source."other" = ANY (ARRAY[e.k1])
    AND source."ts" <= e.t
    AND source."ts" >= e.s0
  ORDER BY source."other" ASC NULLS LAST, source."ts" DESC NULLS FIRST
  LIMIT 1
) AS n0 ON true
LEFT JOIN LATERAL (
  SELECT source."f1" AS c0, source."a ""b"" %" AS c1, NOT isfinite(source."ts") OR NOT isfinite(source."created") AS infinite
  FROM indexed AS source
  WHERE source."k" = e.k0
    AND source."other" = e.k1
    AND source."ts" = n0.at
  ORDER BY source."created" DESC NULLS LAST, source.ctid
  LIMIT 1
) AS v0 ON true
LEFT JOIN LATERAL (
  SELECT source."ts" AS at
  FROM indexed AS source
  WHERE source."k" = e.k0
    AND source."other" = ANY (ARRAY[e.k1])
    AND source."ts" <= e.t
    AND source."ts" >= e.s1
    AND source."created" <= (e.t AT TIME ZONE 'UTC')
  ORDER BY source."other" ASC NULLS LAST, source."ts" DESC NULLS FIRST
  LIMIT 1
) AS n1 ON true
LEFT JOIN LATERAL (
  SELECT source."f1" AS c0, NOT isfinite(source."ts") OR NOT isfinite(source."created") AS infinite
  FROM indexed AS source
  WHERE source."k" = e.k0
    AND source."other" = e.k1
    AND source."ts" = n1.at
    AND source."created" <= (e.t AT TIME ZONE 'UTC')
  ORDER BY source."created" DESC NULLS LAST, source.ctid
  LIMIT 1
) AS v1 ON true
LEFT JOIN LATERAL (
  SELECT source."day" AS at
  FROM indexed AS source
  WHERE source."k" = ANY (ARRAY[e.k0])
    AND source."day" <= (e.t AT TIME ZONE 'UTC')
  ORDER BY source."k" DESC NULLS FIRST, source."day" DESC NULLS FIRST
  LIMIT 1
) AS n2 ON true
LEFT JOIN LATERAL (
  SELECT source."f1" AS c0, NOT isfinite(source."day") AS infinite
  FROM indexed AS source
  WHERE source."k" = e.k0
    AND source."day" = n2.at
  ORDER BY source.ctid
  LIMIT 1
) AS v2 ON true
LEFT JOIN LATERAL (
  SELECT source.c0, source.c1, NOT isfinite(source.at) OR NOT isfinite(source.made) AS infinite
  FROM rows_3 AS source
  WHERE source.k0 = e.k0
    AND source.k1 = e.k1
    AND source.at <= e.t
    AND source.at >= e.s0
  ORDER BY source.at DESC, source.made DESC NULLS LAST, source.place0
  LIMIT 1
) AS v3 ON true
LEFT JOIN LATERAL (
  SELECT source.c0, NOT isfinite(source.at) AS infinite
  FROM rows_4 AS source
  WHERE source.at <= (e.t AT TIME ZONE 'UTC')
  ORDER BY source.at DESC, source.place0
  LIMIT 1
) AS v4 ON true
ORDER BY e.i;
