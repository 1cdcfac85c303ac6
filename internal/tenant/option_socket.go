package tenant

import (
	"path/filepath"
	"strings"

	"smsbridge/internal/settings"
)

// noSocket is the setting with which there is no socket for commands.
const noSocket = "off"

// CommandSocket returns the path of the socket at which the running bridge takes commands, "" for
// none, and whether the operator chose it.
func (s Settings) CommandSocket() (path string, chosen bool) {
	switch s.socket {
	case "":
		path, is := strings.CutPrefix(s.Database.Reveal(), "sqlite:")
		if !is {
			return "", false
		}
		return path + ".sock", false
	case noSocket:
		return "", true
	}
	return s.socket, true
}

// socketOption is where the commands find the running bridge.
func socketOption() settings.Option[Settings] {
	return settings.Option[Settings]{Row: row{
		Key: "socket", Variable: "SMSBRIDGE_SOCKET", Restart: true, Local: true, Off: true,
		Example: "/run/smsbridge/bridge.sock",
		Doc: "The unix socket at which the running bridge takes commands, such as `smsbridge jobs`, " +
			"and runs them. Without it, a SQLite database has one beside it, whose name ends in .sock, " +
			"and PostgreSQL has none. With off there is none. A command that finds no bridge there " +
			"opens the database itself.",
		Prevents: "A process that may use the socket may do all that the commands do. Only the " +
			"bridge's user and root may.",
	}, Set: setSocket}
}

func setSocket(s *Settings, v []string) *settings.Mistake {
	if v[0] != noSocket && !filepath.IsAbs(v[0]) {
		return settings.Wrong("is not a whole path",
			"write it from the root on, such as /run/smsbridge/bridge.sock, or off: "+
				"commands are run in other folders than the bridge")
	}
	s.socket = v[0]
	return nil
}
