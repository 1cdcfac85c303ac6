package challenge

// ReplyCode is replyCode for its test.
var ReplyCode = replyCode
