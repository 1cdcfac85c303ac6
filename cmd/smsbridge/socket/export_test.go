package socket

// Explain lets tests see what errors mean that the system gives other users alone.
var Explain = explain
