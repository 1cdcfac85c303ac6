// Package fact is what the store tells of its transactions, for those who count and trace. They
// need no database for it.
package fact

// Fact is what a committed transaction recorded in the timeline. It names no person.
type Fact struct {
	Tenant, Subject, Name string // the subject is the id of a row
	About
}

// About says more of a fact: the provider of a text, the purpose of a text or question, and the
// country of the phone. What does not apply is "".
type About struct{ Provider, Purpose, Country string }
