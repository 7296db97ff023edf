#if Lab
import Foundation

/// What a device on f2fs goes through, as the board's own shell plays it.
struct F2FSScenario: Sendable {
    let name: String
    /// The image's migrations.
    let set: [String: String]
    let outcome: String
    /// What befalls the disk before the boot.
    var before = ""
    /// The database goes to quarantine.
    var isReplaced = false

    static let damage = Data("not a database any more".utf8)
    static let readyMark = "f2fs: ready"

    /// Rows come with the image: the board has no shell for SQLite.
    private static func withRows(_ set: [String: String]) -> [String: String] {
        let rows = """
            INSERT INTO readings (name, value) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
            SELECT 'reading number ' || i, i * 0.5 FROM n;
            """
        return set.merging(["1_start.sql": Scenario.one["1_start.sql"]! + "\n" + rows]) { $1 }
    }

    static let first = F2FSScenario(name: "first boot", set: withRows(Scenario.one), outcome: "migrated")

    static let all = [
        F2FSScenario(name: "upgrade", set: withRows(Scenario.two), outcome: "migrated"),
        F2FSScenario(name: "upgrade of ten steps", set: withRows(Scenario.ten), outcome: "migrated"),
        F2FSScenario(
            name: "restore", set: withRows(Scenario.one), outcome: "restored",
            before: "mounted && printf '\(String(decoding: damage, as: UTF8.self))' | dd of=/data/app/app.db conv=notrunc && umount /data",
            isReplaced: true),
    ]

    /// An init script that does `words` to every partition of the first drive, and hands what it found over on the second.
    static func script(_ words: String) -> String {
        """
        #!/bin/sh
        [ "$1" = start ] || exit 0
        modprobe f2fs
        mkdir -p /data /tmp/out
        mounted() { mount -t f2fs -o noatime "/dev/vda$part" /data; }
        boot() {
            rm -rf /run/firstlight
            mounted || return
            cat >/tmp/firstlight.conf <<END
        [data]
        device = none
        mount = /data
        [database app]
        path = /data/app/app.db
        migrations = /usr/share/set$part
        [light]
        line = none
        [button]
        line = none
        END
            FIRSTLIGHT_LOG_STDERR=1 firstlightd --config /tmp/firstlight.conf 2>"$out/log-$1" &
            daemon=$!
            turns=0
            while [ ! -e /run/firstlight/ready ] && [ "$turns" -lt 300 ]; do
                usleep 100000
                turns=$((turns + 1))
            done
            echo "\(readyMark)" >/dev/console
            cp /run/firstlight/status.json "$out/status-$1"
            # What it told is put on record.
            usleep 200000
            kill -9 "$daemon"
            wait "$daemon" 2>/dev/null
            mkdir "$out/app-$1"
            cp /data/app/app.db* "$out/app-$1"
            cp -r /data/app/.firstlight/app/quarantine "$out/app-$1"
            until umount /data; do usleep 10000; done
        }
        for device in /sys/block/vda/vda*; do
            part=${device##*/vda}
            out=/tmp/out/$part
            mkdir "$out"
            \(words)
        done 2>/dev/null
        tar -C /tmp/out -cf /dev/vdb .
        sync
        poweroff -f
        """
    }
}
#endif
