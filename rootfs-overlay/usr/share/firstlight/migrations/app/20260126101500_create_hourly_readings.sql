-- Firmware 3.0. Retention deletes the single readings after 90 days, and customers want to compare whole years: an
-- hour's figures stay for ever. The logger adds to this table each full hour, which is why this step is not marked
-- compatible: an older image would leave a hole that nothing fills once the readings are gone.

-- migrate:up
CREATE TABLE hourly_readings (
    sensor_id INTEGER NOT NULL REFERENCES sensors (id) ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    lowest REAL NOT NULL,
    highest REAL NOT NULL,
    mean REAL NOT NULL,
    change REAL,
    PRIMARY KEY (sensor_id, hour)
) STRICT, WITHOUT ROWID;

INSERT INTO hourly_readings (sensor_id, hour, count, lowest, highest, mean, change)
    SELECT sensor_id, taken_at / 3600, count(*), min(value), max(value), round(avg(value), 3), round(sum(change), 3)
    FROM readings
    GROUP BY sensor_id, taken_at / 3600;

INSERT INTO settings (key, value) VALUES ('retention-days', '90') ON CONFLICT (key) DO NOTHING;

-- migrate:down
DROP TABLE hourly_readings;
