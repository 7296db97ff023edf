-- Firmware 1.0. Everything the logger measures hangs on one of its sensors: a thermometer on the 1-Wire bus or a
-- meter on Modbus, known by the serial number it reports, named by whoever installs the unit.

-- migrate:up
CREATE TABLE sensors (
    id INTEGER PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('temperature', 'energy')),
    unit TEXT NOT NULL,
    added_at INTEGER NOT NULL
);

-- migrate:down
DROP TABLE sensors;
