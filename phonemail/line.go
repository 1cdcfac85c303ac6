package phonemail

// Line is what a phone's texts come from: an account at a provider, and a number, messaging
// service or name of that account. The phone's replies come back to it, and its STOP holds for it,
// whichever provider carries a text.
type Line struct{ Account, Sender string }
