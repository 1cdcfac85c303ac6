// Command reference writes the documents about settings from the rows of internal/tenant, for
// operators: deploy/env.example (one tenant, by variables), deploy/smsbridge.yaml (many tenants, in
// a file) and docs/SETTINGS.md (everything). It is run by `go generate ./internal/tenant`, and is
// no part of the product. A test of this room fails when a document is not what it would write.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"smsbridge/internal/settings"
	"smsbridge/internal/tenant"
)

// root is the top of the tree as seen from internal/tenant, where `go generate` runs.
const root = "../.."

func main() {
	for path, text := range documents() {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "reference:", err)
			os.Exit(1)
		}
	}
}

// documents returns the text of each document by its path in the tree.
func documents() map[string]string {
	command, process, sections := tenant.Reference()
	return map[string]string{
		"deploy/env.example":    environment(command, process, sections),
		"deploy/smsbridge.yaml": file(process, sections),
		"docs/SETTINGS.md":      reference(command, process, sections),
	}
}

// width is how wide the documents are, in columns.
const width = 100

// words finds what must stay on one line: words, and code between backquotes with what touches it.
var words = regexp.MustCompile("[^\\s`]*`[^`]*`\\S*|\\S+")

// wrap returns a text in lines that start with the prefix and keep within the width.
func wrap(prefix, text string) string {
	var b strings.Builder
	line := prefix
	for _, word := range words.FindAllString(text, -1) {
		if len([]rune(line))+1+len([]rune(word)) > width && line != prefix {
			b.WriteString(line + "\n")
			line = prefix
		}
		if line != prefix {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}

// mention is where a text names another setting: {key} or {key=value}.
var mention = regexp.MustCompile(`\{([a-z][a-z0-9_.]*)(?:=([a-z]+))?\}`)

// explain returns a text with the settings that it mentions named by the function.
func explain(text string, name func(key, value string) string) string {
	return mention.ReplaceAllStringFunc(text, func(found string) string {
		parts := mention.FindStringSubmatch(found)
		return name(parts[1], parts[2])
	})
}

// group is the group in the file that all rows of a section are in, "" for none.
func group(s settings.Section) string {
	name, _, ok := strings.Cut(s.Rows[0].Key, ".")
	if !ok {
		return ""
	}
	return name
}

// variables returns the rows that have a variable.
func variables(s settings.Section) (rows []settings.Row) {
	for _, r := range s.Rows {
		if r.Variable != "" {
			rows = append(rows, r)
		}
	}
	return rows
}
