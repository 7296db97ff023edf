-- Firmware 1.2. Units with more than three thermometers: the name alone no longer says where one hangs. A column that
-- may be NULL does not disturb firmware 1.1, which never looks at it.

-- migrate:up compatible:true
ALTER TABLE sensors ADD COLUMN location TEXT;

-- migrate:down
ALTER TABLE sensors DROP COLUMN location;
