package reply

// Which is which for its test.
var Which = which
