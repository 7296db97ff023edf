-- Firmware 1.1. The first customers want another interval and a name of their own on the display; until now both were
-- compiled in. The values here are the ones that were, so that an updated unit goes on as before.

-- migrate:up
CREATE TABLE settings (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID;

INSERT INTO settings (key, value) VALUES
    ('sample-interval', '900'),
    ('display-name', 'Data logger'),
    ('time-zone', 'UTC');

-- migrate:down
DROP TABLE settings;
