// Package house is for those who change smsbridge. It has no code, only tests of the whole tree.
//
// They hold it to what no single room can check of itself: which room may import which, how long
// a function, a file, a line and a sentence may be, and which words are avoided. They also check
// that no file names the machine it was written on, and that the recipes in deploy fit the program.
package house
