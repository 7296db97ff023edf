-- Firmware 2.1. The consumption chart needs what was used between two readings, not where the counter stood. From this
-- firmware on the logger stores the change with each reading; here the old ones get theirs, once, instead of every
-- chart computing it again. A sensor's first reading has no predecessor and stays NULL. Three decimals, because that
-- is what the meters report and a difference of REALs has more.

-- migrate:up
ALTER TABLE readings ADD COLUMN change REAL;

UPDATE readings SET change = round(value - (
    SELECT earlier.value FROM readings AS earlier
    WHERE earlier.sensor_id = readings.sensor_id AND earlier.taken_at < readings.taken_at
    ORDER BY earlier.taken_at DESC
    LIMIT 1
), 3);

-- migrate:down
ALTER TABLE readings DROP COLUMN change;
