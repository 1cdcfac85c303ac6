// Package house is for those who change smsbridge. It has no code, only tests that hold the whole tree to what no single
// room can check of itself: who may import whom, how long a function and a file may be, that no file names a machine it
// was written on, and that the recipes in deploy fit the program.
package house
