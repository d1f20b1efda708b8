# METADATA
# title: What the model of the mesh has answered, shipped as data
# description: |
#   `data.facts` holds the answers by question and then argument by argument. An answer that was not
#   shipped reads like one about something of which nothing is known.
package lib.meshplan_facts

default answers := {}

answers := data.facts

answer(path) := object.get(answers, path, null)

record(path) := v if {
	v := answer(path)
	is_object(v)
} else := {}

records(path) := v if {
	v := answer(path)
	is_array(v)
} else := []

word(path) := v if {
	v := answer(path)
	is_string(v)
} else := "unknown"
