package api

// MaxBody is the size of a body that is read, in bytes.
const MaxBody = maxBody

// OpenAPI is the description as it is in the program.
func OpenAPI() string { return string(openAPI) }

// Paths are the methods of each path, and the members that the body of each may have.
func Paths() map[string]map[string][]string {
	all := map[string]map[string][]string{}
	for path, m := range paths() {
		all[path] = map[string][]string{}
		for method, operation := range m {
			all[path][method] = operation.fields
		}
	}
	return all
}
