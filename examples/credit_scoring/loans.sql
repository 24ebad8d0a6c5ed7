-- Loans of the past and how they ended: loan_status is 1 if the loan was not paid
-- back. All is made up from the loan's number, so it is the same every time; the
-- outcome depends on the credit history as it was when the loan was asked for.
-- The times are UTC.
DROP TABLE IF EXISTS loans;
CREATE TABLE loans AS
WITH people AS (
    SELECT dob_ssn, min(event_timestamp) AS since, row_number() OVER (ORDER BY dob_ssn) - 1 AS n
    FROM credit_history GROUP BY dob_ssn
), places AS (
    SELECT zipcode, row_number() OVER (ORDER BY zipcode) - 1 AS n
    FROM (SELECT DISTINCT zipcode FROM zipcode_features) AS z
), numbers AS (
    SELECT i AS loan_id, d.draw AS r
    FROM generate_series(1, 5000) AS i
    CROSS JOIN LATERAL (
        SELECT array_agg(('x' || substr(md5(i || '.' || k), 1, 7))::bit(28)::int / 268435456.0 ORDER BY k) AS draw
        FROM generate_series(1, 7) AS k
    ) AS d
), asked AS (
    SELECT loan_id, p.dob_ssn, z.zipcode,
        date_trunc('second', p.since + r[1] * (newest.at - p.since)) AS event_timestamp,
        (20 + 50 * r[2])::bigint AS person_age,
        (15000 + 100000 * r[3] * r[3])::bigint AS person_income,
        (1000 + 34000 * r[4])::bigint AS loan_amnt,
        round((5 + 15 * r[5])::numeric, 2)::double precision AS loan_int_rate,
        r[6] AS luck
    FROM numbers
    CROSS JOIN (SELECT max(event_timestamp) AS at FROM credit_history) AS newest
    JOIN people AS p ON p.n = (loan_id * 7919) % (SELECT count(*) FROM people)
    JOIN places AS z ON z.n = (loan_id * 104729) % (SELECT count(*) FROM places)
)
SELECT a.loan_id, a.dob_ssn, a.zipcode, a.event_timestamp, a.person_age, a.person_income, a.loan_amnt, a.loan_int_rate,
    (0.5 * COALESCE(h.missed_payments_1y, 1) + 0.8 * COALESCE(h.bankruptcies, 0) + 0.2 * COALESCE(h.hard_pulls, 1)
        + 2.5 * a.loan_amnt / a.person_income + 0.05 * a.loan_int_rate + 1.2 * a.luck > 4.3)::int::bigint AS loan_status
FROM asked AS a
LEFT JOIN LATERAL (
    SELECT * FROM credit_history AS c
    WHERE c.dob_ssn = a.dob_ssn AND c.event_timestamp <= a.event_timestamp
    ORDER BY c.event_timestamp DESC, c.created_timestamp DESC LIMIT 1
) AS h ON true
ORDER BY a.loan_id;
