package tenant

import "smsbridge/internal/wording"

// Say returns the text for s in the tenant's wording, or "" for a saying that does not exist. A
// Tenant that was not loaded says it in the shipped wording.
func (t *Tenant) Say(s wording.Saying, fill wording.Fill) string {
	return t.texts.Say(s, wording.Fields{
		Name: t.Name, Answer: first(t.Question.Accept), Denial: first(t.Question.Deny),
		Choices: fill.Choices, Count: fill.Count, Code: fill.Code, Link: fill.Link,
		Contact: fill.Contact,
	})
}

func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}
