CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
CREATE DOMAIN posint AS int8 CHECK (VALUE > 0); CREATE DOMAIN label AS text; CREATE DOMAIN price AS numeric(9, 2);
CREATE TYPE pair AS (a int8, b text);
