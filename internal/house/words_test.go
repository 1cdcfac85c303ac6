//go:build !race

package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

const (
	maxColumns       = 100 // characters in a line of Go, SQL or shell; a tab counts as one
	maxSentenceWords = 25
)

// avoided are words that hide who acts, each with what to write instead. The glossary in
// CONTRIBUTING.md has the words that we use.
var avoided = []struct{ word, instead string }{
	{"somebody", "name the actor: a caller, a provider, a worker, a replica, a person"},
	{"someone", "name the actor: a caller, a provider, a worker, a replica, a person"},
	{"nobody", "name who does not, or say that none does"},
	{"anybody", "name the actor: any caller, any person"},
	{"whoever", "name the actor: the caller, the worker that"},
	{"in earnest", "say: in production, for real use"},
	{"knock", "say: send a request"},
	{"knocks", "say: sends a request"},
}

// A line is a piece of prose with its place.
type line struct {
	number int
	text   string
}

// comments returns the comments of a Go file as prose, one line each.
func comments(t *testing.T, path string, content []byte) []line {
	t.Helper()
	files := token.NewFileSet()
	mode := parser.ParseComments | parser.SkipObjectResolution
	file, err := parser.ParseFile(files, path, content, mode)
	require.NoError(t, err)
	if ast.IsGenerated(file) {
		return nil
	}
	var found []line
	for _, group := range file.Comments {
		number := files.Position(group.Pos()).Line
		found = append(found, line{number, ""}) // a group does not go on where another ended
		for _, comment := range group.List {
			number := files.Position(comment.Pos()).Line
			for i, text := range strings.Split(comment.Text, "\n") {
				if strings.HasPrefix(text, "//go:") {
					text = ""
				}
				text = strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(text, "//"), " "), " ")
				found = append(found, line{number + i, text})
			}
		}
	}
	return found
}

// markdown returns the paragraphs and list items of a document, without code, tables and headings.
func markdown(content []byte) []line {
	var found []line
	fenced := false
	for i, text := range strings.Split(string(content), "\n") {
		if strings.HasPrefix(strings.TrimSpace(text), "```") {
			fenced = !fenced
			text = ""
		}
		if fenced || strings.HasPrefix(text, "#") || strings.HasPrefix(text, "|") ||
			strings.HasPrefix(text, "    ") {
			text = ""
		}
		found = append(found, line{i + 1, text})
	}
	return found
}

// prose calls visit for the prose of every file that has some.
func prose(t *testing.T, visit func(path string, lines []line)) {
	t.Helper()
	walk(t, func(path string, content []byte) {
		switch {
		case filepath.Ext(path) == ".go":
			visit(path, comments(t, path, content))
		case filepath.Ext(path) == ".md" && !strings.Contains(path, "node_modules"):
			visit(path, markdown(content))
		}
	})
}

var (
	// A sentence ends with its mark and a blank, or with its paragraph. "e.g. this" does not end one.
	sentenceEnd = regexp.MustCompile(`[.!?:;…]["'”)*_` + "`" + `]*\s+`)
	itemStart   = regexp.MustCompile(`^\s*([-*•]|\d+\.)\s+`)
	codeSpan    = regexp.MustCompile("`[^`]*`|https?://\\S+|\\]\\([^)]*\\)")
	word        = regexp.MustCompile(`[\p{L}\p{N}][\p{L}\p{N}'’.,/_-]*`)
)

// longSentences returns the sentences of more than maxSentenceWords words. A colon and a semicolon
// end one: what follows can be read by itself.
func longSentences(lines []line) []line {
	var long []line
	var text string
	start := 0
	end := func() {
		for _, sentence := range splitSentences(codeSpan.ReplaceAllString(text, " code ")) {
			if mostWords(sentence) <= maxSentenceWords {
				continue // to find them takes longer than to count so
			}
			if n := len(word.FindAllString(sentence, -1)); n > maxSentenceWords {
				long = append(long, line{start, fmt.Sprintf("%d words: %s", n, sentence)})
			}
		}
		text = ""
	}
	for _, l := range lines {
		preformatted := strings.HasPrefix(l.text, "\t") || strings.HasPrefix(l.text, "  ")
		if l.text == "" || preformatted && text == "" || itemStart.MatchString(l.text) {
			end()
		}
		if l.text == "" || preformatted && text == "" && !itemStart.MatchString(l.text) {
			continue
		}
		if text == "" {
			start = l.number
		}
		text += " " + itemStart.ReplaceAllString(l.text, "")
	}
	end()
	return long
}

// mostWords is the most words that a sentence can have: each begins a run of letters and digits.
func mostWords(sentence string) (n int) {
	within := false
	for _, r := range sentence {
		begun := within
		if within = unicode.IsLetter(r) || unicode.IsNumber(r); within && !begun {
			n++
		}
	}
	return n
}

func splitSentences(text string) []string {
	var sentences []string
	for from := 0; from < len(text); {
		at := sentenceEnd.FindStringIndex(text[from:])
		if at == nil {
			return append(sentences, strings.TrimSpace(text[from:]))
		}
		sentences = append(sentences, strings.TrimSpace(text[from:from+at[1]]))
		from += at[1]
	}
	return sentences
}

func TestColumns(t *testing.T) {
	judged := 0
	walk(t, func(path string, content []byte) {
		if !slices.Contains([]string{".go", ".sql", ".sh"}, filepath.Ext(path)) ||
			strings.HasPrefix(path, "internal/store/db/") {
			return
		}
		judged++
		for i, text := range strings.Split(string(content), "\n") {
			if n := utf8.RuneCountInString(text); n > maxColumns {
				t.Errorf("%s:%d has %d columns, more than %d", path, i+1, n, maxColumns)
			}
		}
	})
	require.NotZero(t, judged)
}

func TestPlainWords(t *testing.T) {
	var patterns []*regexp.Regexp
	for _, a := range avoided {
		patterns = append(patterns, regexp.MustCompile(`(?i)\b`+a.word+`\b`))
	}
	judged := 0
	prose(t, func(path string, lines []line) {
		judged++
		for _, l := range lines {
			lower := strings.ToLower(l.text)
			for i, a := range avoided {
				if !strings.Contains(lower, a.word) {
					continue
				}
				if patterns[i].MatchString(l.text) {
					t.Errorf("%s:%d says %q; %s", path, l.number, a.word, a.instead)
				}
			}
		}
	})
	require.NotZero(t, judged)
}

func TestShortSentences(t *testing.T) {
	judged := 0
	prose(t, func(path string, lines []line) {
		judged++
		for _, l := range longSentences(lines) {
			t.Errorf("%s:%d has a sentence of %s", path, l.number, l.text)
		}
	})
	require.NotZero(t, judged)
}

func TestLongSentences(t *testing.T) {
	words := func(n int) string { return strings.TrimSpace(strings.Repeat("word ", n)) }
	prose := func(text string) []line {
		var lines []line
		for i, l := range strings.Split(text, "\n") {
			lines = append(lines, line{i + 1, l})
		}
		return lines
	}
	for name, test := range map[string]struct {
		text string
		long int
	}{
		"at the limit":            {words(25) + ".", 0},
		"over it":                 {words(26) + ".", 1},
		"over two lines":          {words(20) + "\n" + words(6) + ".", 1},
		"two sentences":           {words(20) + ". " + words(20) + ".", 0},
		"a colon":                 {words(20) + ": " + words(20) + ".", 0},
		"two paragraphs":          {words(20) + "\n\n" + words(20), 0},
		"two items":               {"* " + words(20) + "\n* " + words(20), 0},
		"an item and its rest":    {"* " + words(20) + "\n  " + words(20), 1},
		"code counts as a word":   {words(24) + " `a b c d`.", 0},
		"a drawing":               {"\t" + words(30), 0},
		"an end within quotes":    {words(20) + " \"so.\" " + words(20) + ".", 0},
		"a point within a number": {words(20) + " 1.5 " + words(6) + ".", 1},
	} {
		t.Run(name, func(t *testing.T) {
			require.Len(t, longSentences(prose(test.text)), test.long)
		})
	}
}
