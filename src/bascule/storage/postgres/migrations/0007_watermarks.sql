-- Up to when each journal that is being written is in the store whole, by the clock of the database.

CREATE TABLE watermarks (chain_id text COLLATE "C" PRIMARY KEY, complete_ms bigint NOT NULL);
