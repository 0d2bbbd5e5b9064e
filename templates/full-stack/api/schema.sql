CREATE TABLE IF NOT EXISTS entries (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Made by the visitor's browser: a request that is sent twice is stored once.
    key        uuid NOT NULL UNIQUE,
    name       text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 40),
    message    text NOT NULL CHECK (char_length(message) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT now()
);
