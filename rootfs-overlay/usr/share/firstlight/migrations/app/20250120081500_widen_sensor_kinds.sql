-- Firmware 2.0. The new sensor board measures humidity, CO2 and momentary power, which the CHECK on kind refuses, and
-- a sensor must be switchable without losing its history. A CHECK cannot be altered, so the table is rebuilt in the
-- order of https://www.sqlite.org/lang_altertable.html section 7: create, copy, drop, rename. readings refers to this
-- table with ON DELETE CASCADE: with foreign keys on, the DROP TABLE would empty readings. They are off while
-- migrations run, and foreign_key_check before the commit proves that every reading still has its sensor.

-- migrate:up
CREATE TABLE sensors_new (
    id INTEGER PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('temperature', 'energy', 'humidity', 'co2', 'power')),
    unit TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    location TEXT,
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1))
);

INSERT INTO sensors_new (id, serial, name, kind, unit, added_at, location)
    SELECT id, serial, name, kind, unit, added_at, location FROM sensors;

DROP TABLE sensors;

ALTER TABLE sensors_new RENAME TO sensors;

-- migrate:down
-- Firmware 1.3 cannot show the new kinds, so their sensors go, and with foreign keys off no cascade takes the readings
-- along: they are deleted by name, before the sensors that identify them.
DELETE FROM readings
    WHERE sensor_id IN (SELECT id FROM sensors WHERE kind NOT IN ('temperature', 'energy'));

CREATE TABLE sensors_old (
    id INTEGER PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('temperature', 'energy')),
    unit TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    location TEXT
);

INSERT INTO sensors_old (id, serial, name, kind, unit, added_at, location)
    SELECT id, serial, name, kind, unit, added_at, location FROM sensors
    WHERE kind IN ('temperature', 'energy');

DROP TABLE sensors;

ALTER TABLE sensors_old RENAME TO sensors;
