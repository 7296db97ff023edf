-- Firmware 3.1. Retention and export take a day of all sensors at a time, for which the index by sensor is no help.
-- The day is generated, so no image has to write it, and 3.0 neither sees the column in its queries nor misses it.

-- migrate:up compatible:true
ALTER TABLE readings ADD COLUMN day INTEGER GENERATED ALWAYS AS (taken_at / 86400) VIRTUAL;

CREATE INDEX readings_by_day ON readings (day);

-- migrate:down
DROP INDEX readings_by_day;
ALTER TABLE readings DROP COLUMN day;
