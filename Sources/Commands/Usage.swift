/// What the command line may be.
enum Usage {
    static let short = "usage: firstlightctl COMMAND [NAME] [OPTION]...; firstlightctl help tells all of it"

    static let text = """
        usage: firstlightctl COMMAND [NAME] [OPTION]...

        About the boot:
          status           how it went, or how far it is
          wait             returns when its outcome is known
              --require OUTCOME[,OUTCOME]...   exit 0 only with one of these
              --timeout TIME                   no longer than that
          report           all that support wants to see, as plain text: the above,
                           configuration, logs, system; no contents of databases
              --output FILE                    there, not to standard output

          factory-reset    erases the data partition early in the next boot, as the
                           configuration has it (preserve, reset), and reboots
              --reason TEXT                    who asks, for the record
              --reboot yes|no                  no: whenever that comes by itself

          identify         the LED says which device it is, for 15 s
          light PATTERN    the application's use of the LED, seen while the status is a
                           plain solid ready: on, off, ON/OFF[,ON/OFF]... in
                           milliseconds; release gives it back

        About a database, on any Linux:
          plan [NAME]...   what a boot would do to its schema; writes nothing
          migrate [NAME]   what a boot does; tries again what rests after a failure
          rollback [NAME]  undoes the newest step
              --to VERSION     migrate: so far; rollback: that one stays, 0 undoes all
              --step N         so many steps
              --timeout TIME   migrate, rollback: all is undone after that
          check [NAME]...  judges the migrations, on copies: names, markers, each step
                           up, down and up again; exit 1 when something is wrong
              --require-downs yes|no           a step without a down is an error
          snapshot [NAME]  keeps a sealed copy, also while others have it open
          restore [NAME]   puts the newest snapshot back; the database goes to
                           quarantine
              --snapshot N|pinned              another than the newest
              --list                           only tells which there are
          new TITLE        makes an empty migration VERSION_TITLE.sql

        Which database:
          NAME             a [database NAME] of the configuration
          --config FILE    the configuration; default /etc/firstlight.conf
          --database FILE  this file, without a configuration
          --migrations DIR its migrations; check and new need no --database,
                           rollback, snapshot and restore no --migrations

        How to treat it, as in the configuration:
          --verify full|quick|none
          --snapshots N, --quarantine N        how many are kept
          --on-failure restore,rebuild,keep,stop
          --keep-tables TABLE,…                 salvaged first from a damaged database
          --on-newer downgrade|keep|stop
          --adopt auto|ecto|golang-migrate|goose|dbmate|grdb|none
          --strict-order yes|no
          --extensions FILE[,FILE]...

        With every command: --json. Alone: --help, --version.
        TIME is 500ms, 30s, 5min, 2h.

        exit: 0 at the wanted schema, or done     3 usable, not at the wanted schema
              1 no database, or not done          4 at the wanted schema, data lost
              2 usage                             5 in RAM

        """
}
