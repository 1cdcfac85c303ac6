package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"smsbridge/internal/settings"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/outbound"
)

// settings reads the settings and the level of the log, and reports all mistakes of both. The
// settings have all warnings of a start.
func (s serveCommand) settings(
	ctx context.Context, w world,
) (tenant.Settings, slog.Level, error) {
	loaded, err := s.load(ctx, w.environ)
	level, m := s.level(w.environ)
	var mistakes settings.Mistakes
	if m != nil && (err == nil || errors.As(err, &mistakes)) {
		err = append(mistakes, *m)
	}
	if err != nil {
		return loaded, level, err
	}
	tests, err := loaded.JudgeTests(w.clock())
	loaded.Warnings = slices.Concat(loaded.Warnings, loaded.Impossible(), tests)
	return loaded, level, err
}

// judge finds what the settings themselves do not know to be wrong.
func judge(s tenant.Settings) error {
	var url *store.URLError
	if errors.As(store.CheckURL(s.Database.Reveal()), &url) {
		return mistake{databaseSetting + " cannot be used, for " + url.Part, urlHint}
	}
	return judgeLinks(s.Tenants)
}

const urlHint = "https://www.postgresql.org/docs/current/libpq-connect.html lists the parameters " +
	"of PostgreSQL; pool_max_conns bounds the connections"

// judgeLinks finds link settings that cannot work.
func judgeLinks(tenants tenant.Set) error {
	for _, t := range tenants.All() {
		if err := outbound.Rule(t).Check(); err != nil {
			return mistake{"tenant " + t.Slug + ": the link settings cannot work: " +
				strings.ReplaceAll(err.Error(), "\n", "; "),
				"deploy/smsbridge.yaml explains idp_hosts and links (SMSBRIDGE_LINK_…); " +
					"smsbridge link shows what they make of a mail"}
		}
	}
	return nil
}

// load reads the settings until ctx ends. Their file may be a FIFO to which no process writes, or
// on a disk that does not respond. So may a file that they refer to.
func (s serveCommand) load(ctx context.Context, environ []string) (tenant.Settings, error) {
	return orDone(ctx, func() (tenant.Settings, error) {
		// Of a file of variables with line ends of Windows, the path has the end of its line.
		if path := strings.TrimSpace(s.Config); path != "" {
			return tenant.FromFile(path, environ)
		}
		return tenant.FromEnv(environ)
	})
}

// level reads the level of the log, in any case. A mistake names the variable when the level comes
// from there.
func (s serveCommand) level(environ []string) (slog.Level, *settings.Mistake) {
	const variable = "SMSBRIDGE_LOG_LEVEL"
	words := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
		"error": slog.LevelError, "": slog.LevelInfo,
	}
	level, ok := words[strings.ToLower(strings.TrimSpace(s.LogLevel))]
	if ok {
		return level, nil
	}
	where := "--log-level"
	for _, v := range environ {
		if v == variable+"="+s.LogLevel {
			where = variable
		}
	}
	return level, &settings.Mistake{
		Where: where, What: settings.Quote(s.LogLevel) + " is not debug, info, warn or error",
		Hint: "write one of these words, or leave it out for info",
	}
}

// listenHint says what to do about an address at which the bridge cannot listen.
func listenHint(err error, setting string) string {
	var unknown *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program uses the port; set " + setting + " to another one"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "no interface of this machine has the address; set " + setting +
			" to one that it has, or to the port alone, such as :8080, for all"
	case errors.Is(err, syscall.EACCES):
		return "this user may not listen there, as ports below 1024 need a privilege; set " +
			setting + " to a higher one, such as :8080"
	case errors.As(err, &unknown):
		return "this machine does not know the host; write its IP address into " + setting
	}
	return "set " + setting + " to an address of this machine, such as 127.0.0.1:8080"
}

// What PostgreSQL says when it refuses a connection.
//
// Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	noSuchDatabase = "3D000"
	wrongPassword  = "28P01"
	notAuthorized  = "28000"
	notAllowed     = "42501"
	noConnections  = "53300"
	noSchema       = "3F000"
)

// noTLS is what pgx says of a server that has no TLS, which the URL wants. The error has no name.
const noTLS = "server refused TLS connection"

// explainMissing is explainDatabase for a command that uses the database of a bridge, and makes
// none.
func explainMissing(err error, o store.Options) error {
	var missing *fs.PathError
	path := strings.TrimPrefix(o.URL, "sqlite:")
	if errors.As(err, &missing) && errors.Is(missing, fs.ErrNotExist) {
		switch missing.Path {
		case path:
			return failure{err, "set SMSBRIDGE_DATABASE (database) to that of the bridge; a path without " +
				"a slash before it begins in this folder. The first smsbridge serve makes it"}
		case path + ".key":
			return failure{err, "put the key there, or set SMSBRIDGE_KEY_FILE (key_file) to where it is"}
		}
	}
	return explainDatabase(err)
}

// databaseSetting is how hints name the setting.
const databaseSetting = "SMSBRIDGE_DATABASE (database)"

// explainDatabase adds what to do to an error of a database that cannot be used.
func explainDatabase(err error) error {
	var refused *pgconn.PgError
	var unreachable *pgconn.ConnectError
	var unusable *store.URLError
	var key *store.KeyError
	var newer *store.SchemaError
	files := sqliteHint(err)
	switch {
	case errors.As(err, &key):
		return failure{err, "add the key " + key.Missing + " behind the others in SMSBRIDGE_KEY (key) " +
			"or in its file, with a comma between; if it is lost for good, smsbridge keys --help says more"}
	case errors.Is(err, store.ErrRestoring):
		return failure{err, "run smsbridge restore again; to begin with an empty database instead, " +
			"remove the file that ends in .part"}
	case errors.Is(err, store.ErrEmpty):
		return failure{err, "set " + databaseSetting + " to that of the bridge. The first smsbridge " +
			"serve makes the tables"}
	case errors.As(err, &unusable):
		return failure{err, urlHint}
	case errors.Is(err, store.ErrOld):
		return failure{err, "start smsbridge serve once: it brings the tables up to date"}
	case errors.As(err, &newer):
		return failure{err, "run the newer smsbridge again, or restore the backup that was made " +
			"before it ran"}
	case errors.As(err, &refused) && refusalHint(refused.Code) != "":
		return failure{err, refusalHint(refused.Code)}
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return failure{err, "name the primary server in " + databaseSetting +
			"; several may stand there: postgres://user:password@host1,host2/name"}
	case errors.Is(err, store.ErrPooler):
		return failure{err, "name PostgreSQL itself in " + databaseSetting + ", or a pool with a " +
			"connection for each session (PgBouncer: pool_mode = session)"}
	case errors.Is(err, store.ErrEncoding):
		return failure{err, "create the database anew: CREATE DATABASE its name ENCODING 'UTF8' " +
			"TEMPLATE template0"}
	case files != "":
		return failure{err, files}
	case errors.As(err, &unreachable) && strings.Contains(err.Error(), noTLS):
		return failure{err, "let PostgreSQL use TLS (ssl = on), or write ?sslmode=disable behind the " +
			"URL in " + databaseSetting + " where no stranger can listen on the way"}
	case errors.As(err, &unreachable):
		return failure{err, "is PostgreSQL running, and may this machine connect to it? " +
			"The host, the port and sslmode are in " + databaseSetting}
	}
	return err
}

// sqliteHint is what to do when the files of a SQLite database cannot be used, "" when no advice is
// known.
//
// Source: https://sqlite.org/rescode.html
func sqliteHint(err error) string {
	const owner = "run smsbridge as the user that owns the database, and let that user write into " +
		"the folder; " + databaseSetting + " names the file"
	var found *sqlite.Error
	switch {
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		return owner
	case !errors.As(err, &found):
		return ""
	}
	switch found.Code() & 0xff { // what is above says more of the same
	case 3, 8, 14: // SQLITE_PERM, SQLITE_READONLY, SQLITE_CANTOPEN
		return owner
	case 5, 6: // SQLITE_BUSY, SQLITE_LOCKED
		return "another program has locked the file, such as sqlite3 or one that copies it: end that " +
			"program, and try again"
	case 11, 26: // SQLITE_CORRUPT, SQLITE_NOTADB
		return "set " + databaseSetting + " to the file of the bridge; if it is that file, put a " +
			"backup in its place: smsbridge restore FILE --replace"
	case 13: // SQLITE_FULL
		return "make room on the disk, and try again"
	}
	return ""
}

// refusalHint is what to do when PostgreSQL refuses with a code, "" when no advice is known.
func refusalHint(code string) string {
	switch code {
	case noSuchDatabase:
		return "create the database, or name another one in " + databaseSetting
	case wrongPassword, notAuthorized:
		return "check the user and the password in " + databaseSetting +
			", and whether pg_hba.conf lets this machine in"
	case notAllowed:
		return "the bridge makes its tables itself: make its user the owner of the database, or run " +
			"there: GRANT CREATE ON SCHEMA public TO the user"
	case noSchema:
		return "create a schema that the search_path of the user names, or run there: " +
			"ALTER ROLE the user RESET search_path"
	case noConnections:
		return "raise max_connections of PostgreSQL: a replica has up to 14 connections, and 10 with " +
			"?pool_max_conns=4 behind the URL in " + databaseSetting
	}
	return ""
}
