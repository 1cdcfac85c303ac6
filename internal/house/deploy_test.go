//go:build !race

package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(content)
}

var (
	variable = regexp.MustCompile(
		`\b(?:SMSBRIDGE|MAILGUN|TWILIO|FLOWROUTE|AUTH0)_[A-Z0-9_]*[A-Z0-9]\b`)
	testVariable = regexp.MustCompile(`^SMSBRIDGE_TEST_`) // test.sh's own
	assignment   = regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=`)
)

// exampleVariables are the names that env.example sets, or shows in a line that is commented out.
func exampleVariables(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, match := range assignment.FindAllStringSubmatch(read(t, "deploy/env.example"), -1) {
		require.NotContains(t, names, match[1], "env.example has it twice")
		names = append(names, match[1])
	}
	slices.Sort(names)
	return names
}

// The variables are those that internal/tenant names in full, as string literals of its program
// code.
func TestEnvExampleHasEveryVariable(t *testing.T) {
	sources, err := filepath.Glob(filepath.Join(root, "internal/tenant/*.go"))
	require.NoError(t, err)
	known := map[string]bool{}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				if variable.FindString(text) == text && text != "" {
					known[text] = true
				}
			}
			return true
		})
	}
	require.NotEmpty(t, sources)
	require.Equal(t, sortedKeys(known), exampleVariables(t),
		"internal/tenant (expected) and deploy/env.example (actual) differ")
}

// A document that names a variable which does not exist sends its reader on a search. In
// smsbridge.yaml the operator chooses the names of the variables that hold the secrets.
func TestDocumentsNameRealVariables(t *testing.T) {
	known := exampleVariables(t)
	require.NotEmpty(t, known)
	documents := 0
	walk(t, func(path string, content []byte) {
		if path == "deploy/smsbridge.yaml" || filepath.Ext(path) != ".md" &&
			filepath.Dir(path) != "deploy" {
			return
		}
		documents++
		for _, name := range variable.FindAllString(string(content), -1) {
			if !slices.Contains(known, name) && !testVariable.MatchString(name) {
				t.Errorf("%s names %s, which deploy/env.example does not have", path, name)
			}
		}
	})
	require.NotZero(t, documents)
}

// Docker takes quotes as part of the value, Compose and systemd take them away; Compose also
// replaces $NAME.
func TestEnvExampleReadsTheSameEverywhere(t *testing.T) {
	for number, line := range strings.Split(read(t, "deploy/env.example"), "\n") {
		_, value, set := strings.Cut(line, "=")
		if set && assignment.MatchString(line) {
			require.NotRegexp(t, `["'$\\]|\s#|\s$`, value, "env.example:%d", number+1)
		}
	}
}

func TestProvidersRoute(t *testing.T) {
	guide := read(t, "deploy/PROVIDERS.md")
	found := regexp.MustCompile("`match_recipient\\(\"(.+)\"\\)`").FindStringSubmatch(guide)
	require.NotNil(t, found)
	expression := regexp.MustCompile(found[1])
	for address, want := range map[string]bool{
		"acme+4512345678@sms.acme.example":      true,
		"acme+@sms.acme.example":                false,
		"acme@sms.acme.example":                 false,
		"acme+45@smsXacme.example":              false,
		"acme+4512345678@sms.acme.example.org":  false,
		"xacme+4512345678@sms.acme.example":     false,
		"acme+45123x5678@sms.acme.example":      false,
		"acme+4512345678@evil@sms.acme.example": false,
	} {
		require.Equal(t, want, expression.MatchString(address), address)
	}
}

func TestCompose(t *testing.T) {
	type service struct {
		Build       struct{ Context, Dockerfile string }
		EnvFile     string   `yaml:"env_file"`
		ReadOnly    bool     `yaml:"read_only"`
		CapDrop     []string `yaml:"cap_drop"`
		SecurityOpt []string `yaml:"security_opt"`
		Ports       []string
		Profiles    []string
		Volumes     []string
		Networks    []string
	}
	var compose struct {
		Services map[string]service
		Networks map[string]struct{ Internal bool }
		Volumes  map[string]any
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/compose.yaml")), &compose))
	require.ElementsMatch(t, []string{"bridge", "proxy", "postgres"},
		slices.Collect(maps.Keys(compose.Services)))

	bridge := compose.Services["bridge"]
	require.True(t, bridge.ReadOnly)
	require.Equal(t, []string{"ALL"}, bridge.CapDrop)
	require.Empty(t, bridge.Ports, "the world reaches the bridge through the proxy only")
	require.FileExists(t, filepath.Join(root, "deploy", bridge.Build.Context, bridge.Build.Dockerfile))
	require.Equal(t, []string{"postgres"}, compose.Services["postgres"].Profiles)
	require.Equal(t, []string{"inside"}, compose.Services["postgres"].Networks)
	require.True(t, compose.Networks["inside"].Internal)

	for name, service := range compose.Services {
		require.Contains(t, service.SecurityOpt, "no-new-privileges:true", name)
		for _, network := range service.Networks {
			require.Contains(t, compose.Networks, network, name)
		}
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if strings.HasPrefix(source, "./") {
				require.FileExists(t, filepath.Join(root, "deploy", source), name)
			} else {
				require.Contains(t, compose.Volumes, source, name)
			}
		}
	}
}

func TestServiceIsHardened(t *testing.T) {
	unit := map[string][]string{}
	for _, line := range strings.Split(read(t, "deploy/smsbridge.service"), "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			unit[key] = append(unit[key], value)
		}
	}
	for key, want := range map[string]string{
		"AmbientCapabilities":     "",
		"CapabilityBoundingSet":   "",
		"DynamicUser":             "yes",
		"LockPersonality":         "yes",
		"MemoryDenyWriteExecute":  "yes",
		"NoNewPrivileges":         "yes",
		"PrivateDevices":          "yes",
		"PrivateTmp":              "yes",
		"PrivateUsers":            "yes",
		"ProtectClock":            "yes",
		"ProtectControlGroups":    "yes",
		"ProtectHome":             "yes",
		"ProtectHostname":         "yes",
		"ProtectKernelLogs":       "yes",
		"ProtectKernelModules":    "yes",
		"ProtectKernelTunables":   "yes",
		"ProtectProc":             "invisible",
		"ProtectSystem":           "strict",
		"RemoveIPC":               "yes",
		"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
		"RestrictNamespaces":      "yes",
		"RestrictRealtime":        "yes",
		"RestrictSUIDSGID":        "yes",
		"StateDirectory":          "smsbridge",
		"StateDirectoryMode":      "0700",
		"SystemCallArchitectures": "native",
		"TimeoutStopSec":          "30",
		"UMask":                   "0077",
	} {
		require.Equal(t, []string{want}, unit[key], key)
	}
	require.Equal(t, []string{"@system-service", "~@privileged @resources"}, unit["SystemCallFilter"])
}

func TestContainerfile(t *testing.T) {
	containerfile := read(t, "deploy/Containerfile")
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	require.NotNil(t, version)
	require.Contains(t, containerfile, "ARG GO_VERSION="+version[1]+"\n",
		"the image is built with the Go of go.mod")

	_, final, found := strings.Cut(containerfile, "FROM gcr.io/distroless/static")
	require.True(t, found)
	require.Contains(t, final, "\nUSER 65532:65532\n")
	require.Contains(t, final, "\nVOLUME /var/lib/smsbridge\n")
	require.Contains(t, final, "\nEXPOSE 8080\n")
}

// The build context is a list of what may enter, so a new room has to be added to it.
func TestDockerignoreAdmitsEveryRoom(t *testing.T) {
	admitted := strings.Split(read(t, ".dockerignore"), "\n")
	for path := range listPackages(t) {
		top, _, _ := strings.Cut(strings.TrimPrefix(path, module+"/"), "/")
		require.Contains(t, admitted, "!"+top, path)
	}
}
