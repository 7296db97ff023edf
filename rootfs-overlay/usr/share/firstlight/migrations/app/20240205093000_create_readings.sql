-- Firmware 1.0. One row a measurement; taken_at is Unix time in seconds, value is in the sensor's unit (an energy
-- meter reports its counter, which only ever rises). Removing a sensor removes what it measured.

-- migrate:up
CREATE TABLE readings (
    id INTEGER PRIMARY KEY,
    sensor_id INTEGER NOT NULL REFERENCES sensors (id) ON DELETE CASCADE,
    taken_at INTEGER NOT NULL,
    value REAL NOT NULL
);

-- migrate:down
DROP TABLE readings;
