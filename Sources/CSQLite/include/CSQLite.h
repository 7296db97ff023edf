// The C face of libsqlite3: the library's own header, and the calls Swift cannot spell (variadics, destructor constants).
#ifndef CSQLITE_H
#define CSQLITE_H

#include <sqlite3.h>

/// sqlite3_db_config for its boolean options; variadic in C.
static inline int csqlite_db_config(sqlite3 *db, int option, int on) {
    return sqlite3_db_config(db, option, on, (int *)0);
}

/// SQLITE_TRANSIENT is a cast Swift cannot import: SQLite copies the bytes.
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    return sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}

/// Reads the main database file through the descriptor SQLite already holds. A second open() and close() of the same
/// file in this process would drop SQLite's own POSIX locks (howtocorrupt.html 2.2).
static inline int csqlite_read_file(sqlite3 *db, void *buffer, int length, sqlite3_int64 offset) {
    sqlite3_file *file = 0;
    int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK) return code;
    if (!file || !file->pMethods) return SQLITE_CANTOPEN;
    return file->pMethods->xRead(file, buffer, length, offset);
}

static inline int csqlite_file_size(sqlite3 *db, sqlite3_int64 *size) {
    sqlite3_file *file = 0;
    int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK) return code;
    if (!file || !file->pMethods) return SQLITE_CANTOPEN;
    return file->pMethods->xFileSize(file, size);
}

/// SQLite's default VFS seeds itself from /dev/urandom, and on a board without entropy reading that spins for a second (RULES.md B1).
/// Nothing that a migrator asks of its random numbers needs them to be secret. To be called before the first database is opened.
void csqlite_never_wait_for_entropy(void);

#endif
