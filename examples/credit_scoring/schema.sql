-- The tables that the feature views read. Times are UTC.
CREATE TABLE IF NOT EXISTS zipcode_features (
    zipcode           BIGINT,
    city              VARCHAR(255),
    state             VARCHAR(255),
    location_type     VARCHAR(255),
    tax_returns_filed BIGINT,
    population        BIGINT,
    total_wages       BIGINT,
    event_timestamp   TIMESTAMP,
    created_timestamp TIMESTAMP
);

CREATE TABLE IF NOT EXISTS credit_history (
    dob_ssn            VARCHAR(255),
    credit_card_due    BIGINT,
    mortgage_due       BIGINT,
    student_loan_due   BIGINT,
    vehicle_loan_due   BIGINT,
    hard_pulls         BIGINT,
    missed_payments_2y BIGINT,
    missed_payments_1y BIGINT,
    missed_payments_6m BIGINT,
    bankruptcies       BIGINT,
    event_timestamp    TIMESTAMP,
    created_timestamp  TIMESTAMP
);
