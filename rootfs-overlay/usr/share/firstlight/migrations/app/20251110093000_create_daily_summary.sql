-- Firmware 2.4. The display, the web page and the CSV export each had their own idea of a day's minimum and of what a
-- day used; now there is one. Days are UTC, as they were in the export. A view is nothing to an image that lacks it.

-- migrate:up compatible:true
CREATE VIEW daily_summary AS
SELECT
    sensors.id AS sensor_id,
    sensors.name AS sensor,
    sensors.unit AS unit,
    date(readings.taken_at, 'unixepoch') AS day,
    count(*) AS readings,
    min(readings.value) AS lowest,
    max(readings.value) AS highest,
    CASE WHEN sensors.kind = 'energy' THEN round(total(readings.change), 3) END AS used
FROM readings JOIN sensors ON sensors.id = readings.sensor_id
GROUP BY readings.sensor_id, readings.taken_at / 86400;

-- migrate:down
DROP VIEW daily_summary;
