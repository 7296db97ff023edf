-- Firmware 2.2. Support could not tell whether a chart's sudden step was the weather or somebody moving a sensor. The
-- database writes the log itself, so that the display, the web page and a technician's shell all leave a trace. It
-- keeps its last 5000 lines: a log must not fill the partition that the readings need.

-- migrate:up
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    happened_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;

CREATE TRIGGER settings_changed AFTER UPDATE OF value ON settings
WHEN OLD.value IS NOT NEW.value
BEGIN
    INSERT INTO events (happened_at, kind, message) VALUES (
        CAST(strftime('%s', 'now') AS INTEGER),
        'setting',
        OLD.key || ' is now ' || NEW.value || '; it was ' || OLD.value
    );
END;

CREATE TRIGGER sensors_changed AFTER UPDATE OF name, location, enabled ON sensors
BEGIN
    INSERT INTO events (happened_at, kind, message) VALUES (
        CAST(strftime('%s', 'now') AS INTEGER),
        CASE WHEN OLD.enabled = NEW.enabled THEN 'sensor' ELSE 'switch' END,
        NEW.serial || ': ' || CASE
            WHEN NEW.enabled < OLD.enabled THEN 'switched off; its readings stay'
            WHEN NEW.enabled > OLD.enabled THEN 'switched on'
            ELSE OLD.name || ' (' || coalesce(OLD.location, '-') || ') is now '
                || NEW.name || ' (' || coalesce(NEW.location, '-') || ')'
        END
    );
END;

CREATE TRIGGER events_bounded AFTER INSERT ON events
BEGIN
    DELETE FROM events WHERE id <= NEW.id - 5000;
END;

-- migrate:down
DROP TRIGGER events_bounded;
DROP TRIGGER sensors_changed;
DROP TRIGGER settings_changed;
DROP TABLE events;
