CREATE TABLE entity (
    id      text PRIMARY KEY,
    version integer NOT NULL
);

-- One row for each event applied, without a key: an effect that happened twice is here twice.
CREATE TABLE effect (
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    "offset"    bigint  NOT NULL,
    entity      text    NOT NULL
);
