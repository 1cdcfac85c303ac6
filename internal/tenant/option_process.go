package tenant

import (
	"net/url"
	"os"
	"slices"
	"smsbridge/internal/settings"
	"strings"
	"time"
)

// commandRows are about flags of `smsbridge serve` that have a variable. The command reads them.
func commandRows() []row {
	return []row{{
		Variable: "SMSBRIDGE_CONFIG", Example: "/etc/smsbridge/smsbridge.yaml",
		Doc:      "The file of several tenants; the same as --config.",
		Prevents: "With it, a variable of a tenant is a mistake: it would be ignored.",
	}, {
		Variable: "SMSBRIDGE_LOG_LEVEL", Default: "info",
		Doc: "The least level that is logged: debug, info, warn or error, in any case; the same " +
			"as --log-level.",
		Prevents: "At error you do not see warnings about settings that are unsafe.",
	}}
}

// processOptions lists the settings of the process.
func processOptions() []settings.Option[Settings] {
	type option = settings.Option[Settings]
	return slices.Concat([]option{
		{Row: row{
			Key: "public_url", Variable: "SMSBRIDGE_PUBLIC_URL", Need: settings.Required,
			Example: "https://bridge.example",
			Missing: "write the https address at which Mailgun and Twilio reach the bridge, " +
				"such as https://bridge.acme.example",
			Doc: "The address at which Mailgun and Twilio reach the bridge. https, except on " +
				"localhost. Write what is entered in Twilio's console, not what the proxy makes of it.",
			Prevents: "Twilio signs this very URL: with another one, the bridge refuses every reply.",
		}, Set: setPublicURL},
		{Row: row{
			Key: "addr", Variable: "SMSBRIDGE_ADDR", Restart: true, Local: true,
			Default: ":8080",
			Doc: "Where to listen. The default is all interfaces, as the TLS proxy is often another " +
				"container. Write 127.0.0.1:8080 when it is on the same machine. " +
				"The recipes in this folder set it.",
			Prevents: "Never open it to the world without TLS in front: anyone could read the mails.",
		}, Set: settings.ListenAddr("write host:port, such as 127.0.0.1:8080, or :8080 for all "+
			"interfaces",
			func(s *Settings) *string { return &s.Addr })},
		{Row: row{
			Key: "drain", Variable: "SMSBRIDGE_DRAIN", Default: "3s",
			Doc: "How long the bridge goes on serving after the signal to stop, 0s to 1m. Meanwhile " +
				"/readyz says no. With no balancer in front, write 0s. Stopping takes up to 20 s more: " +
				"give it as long before you kill it.",
			Prevents: "Without it, requests fail that a load balancer sends before it has looked at " +
				"/readyz again.",
		}, Set: settings.Duration(0, time.Minute, "3s",
			func(s *Settings) *time.Duration { return &s.Drain })},
		{Row: row{
			Key: "retention", Variable: "SMSBRIDGE_RETENTION", Default: "720h",
			Doc: "How long the database has phone numbers, 48h to 8760h. Afterwards a keyed digest " +
				"takes the place of the number. The rows themselves go after a year.",
			Prevents: "The longer, the more people's numbers a thief of the database finds.",
		}, Set: settings.Duration(48*time.Hour, 365*24*time.Hour, "720h",
			func(s *Settings) *time.Duration { return &s.Retention })},
		dnsOption(),
		databaseOption(),
		socketOption(),
		{Row: row{
			Key: "key", Variable: "SMSBRIDGE_KEY", Restart: true, Kind: settings.SecretOne, Ring: true,
			Example: "env:BRIDGE_KEY",
			Doc: "The key that seals links, codes and mails in the database: 32 bytes in hex or " +
				"base64, from `openssl rand -hex 32`. With PostgreSQL it must be set, the same on every " +
				"machine. With SQLite a key is made beside the database at the first start. To change it, " +
				"write NEW,OLD: the first seals, the others open, and `smsbridge keys` says when an old " +
				"one may go. With several machines write OLD,NEW on all of them first.",
			Prevents: "Keep it apart from backups of the database: a thief who has both reads everything. " +
				"Keep it safe: what it sealed cannot be read without it.",
		}, Set: setKey},
		{Row: row{
			Key: "key_file", Variable: "SMSBRIDGE_KEY_FILE", Restart: true, Kind: settings.SecretFile,
			Off:      true,
			Ring:     true,
			Example:  "/etc/smsbridge/key",
			Doc:      "The name of a file with the key, instead of {key}. Old keys follow, a line each.",
			Prevents: "A key in a variable is visible to everyone who may inspect the process.",
		}, Set: setKey},
	}, logOptions(), budgetOptions(), operatorOptions(), watchOptions(),
		traceOptions())
}

// logOptions lists the settings of the log, beside those of the command line.
func logOptions() []settings.Option[Settings] {
	return []settings.Option[Settings]{
		{Row: row{
			Key: "log_format", Variable: "SMSBRIDGE_LOG_FORMAT", Restart: true, Default: string(LogAuto),
			Doc: "How the log is written: text for a person, json for a program, or auto, which is text " +
				"when standard error is a terminal, and json otherwise.",
			Prevents: "A program that reads the log finds no fields in text.",
		}, Set: settings.Choice(func(s *Settings) *LogFormat { return &s.LogFormat },
			LogText, LogJSON, LogAuto)},
	}
}

// judged sets a value and then judges it as it stands.
func judged(
	set settings.Setter[Tenant], judge func(t *Tenant) *settings.Mistake,
) settings.Setter[Tenant] {
	return func(t *Tenant, v []string) *settings.Mistake {
		if m := set(t, v); m != nil {
			return m
		}
		return judge(t)
	}
}

func setPublicURL(s *Settings, v []string) *settings.Mistake {
	address, m := settings.ParseBaseURL(v[0])
	if m != nil {
		return m
	}
	u, err := url.Parse(address)
	switch {
	case err == nil && strings.Contains(u.Host, "_"):
		// https://www.twilio.com/docs/messaging/api/message-resource (StatusCallback)
		return settings.Wrong("has an underscore in its host name",
			"Twilio does not call back to such hosts")
	case err == nil && strings.ContainsAny(u.Host, "*, "):
		return settings.Wrong("has a sign in its host that no host has",
			"write the one host at which Mailgun and Twilio reach the bridge")
	case err == nil && u.Path != "":
		return settings.Wrong("has a path", "write the host alone, as https://bridge.acme.com, and "+
			"give the bridge a host of its own: its pages and cookies are for the whole host")
	}
	s.PublicURL = address
	return nil
}

// databaseOption is where all is recorded.
func databaseOption() settings.Option[Settings] {
	return settings.Option[Settings]{Row: row{
		Key: "database", Variable: "SMSBRIDGE_DATABASE", Restart: true, Kind: settings.SecretURL,
		Default: "sqlite:smsbridge.db", Example: "sqlite:/var/lib/smsbridge/smsbridge.db",
		Doc: "The database: sqlite:PATH for one machine, or postgres://user:password@host:5432/name " +
			"for several equal ones. A replica has up to 14 connections to PostgreSQL. A pooler between " +
			"must give each a session of its own. With a password in it, a file writes env:NAME or " +
			"file:PATH. " +
			"The recipes in this folder set a path.",
		Prevents: "Two machines with a SQLite file each would ask people twice.",
	}, Set: setDatabase}
}

func setDatabase(s *Settings, v []string) *settings.Mistake {
	switch {
	case hasOpenPassword(v[0]):
		return settings.Wrong("has a password with a sign that means something else in a URL",
			"write %40 for @ in the password, %23 for #, %2F for /, %3F for ? and %25 for %")
	case !isDatabase(v[0]):
		return settings.Wrong("is not a database",
			"write sqlite:PATH or postgres://user:password@host/name")
	}
	if path, ok := strings.CutPrefix(v[0], "sqlite:"); ok {
		if m := judgePath(path); m != nil {
			return m
		}
	}
	s.Database = settings.NewSecret(v[0])
	if u, err := url.Parse(v[0]); err == nil {
		s.Database = settings.NewSecret(settings.SmallScheme(u, v[0]))
	}
	return nil
}

// judgePath finds what is wrong with the path of a SQLite file. As a URL, or with parameters, it
// would be a file of an odd name.
func judgePath(path string) *settings.Mistake {
	const example = "sqlite:/var/lib/smsbridge/smsbridge.db"
	switch {
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return settings.Wrong("has two slashes before the path",
			"write none for this folder, as in sqlite:smsbridge.db, or one: "+example)
	case strings.HasPrefix(path, "~"):
		return settings.Wrong("begins with ~, which only a shell knows", "write the whole path: "+example)
	case strings.HasPrefix(path, " ") || strings.Contains(path, "?"):
		return settings.Wrong("has a blank before the path, or parameters behind it",
			"write the path alone: "+example)
	case isFolder(path):
		return settings.Wrong("is a folder", "add the name of a file, as in "+example)
	}
	return nil
}

// isFolder reports whether a path can only be that of a folder.
func isFolder(path string) bool {
	found, err := os.Stat(path)
	return strings.HasSuffix(path, "/") || err == nil && found.IsDir()
}

func setKey(s *Settings, v []string) *settings.Mistake {
	if m := judgeRing(v[0]); m != nil {
		return m
	}
	s.Key = settings.NewSecret(v[0])
	return nil
}
