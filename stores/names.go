package stores

import "strconv"

// VersionedName is the view part of a physical table name: the view's own name
// for version 0, else the name with the version appended.
func (t Table) VersionedName() string {
	if t.Version == 0 {
		return t.View
	}
	return t.View + "_v" + strconv.Itoa(t.Version)
}

// SQLName is the table name of Feast's SQL layouts.
func (t Table) SQLName() string { return t.Project + "_" + t.VersionedName() }

// Collisions finds tables to keep whose physical name another table has: their
// rows would be mixed. fold maps names that the store treats as equal to one text.
func Collisions(tables Tables, name func(Table) string, fold func(string) string) []Finding {
	owners := map[string]Table{}
	for _, spec := range tables.Others {
		owners[fold(name(spec.Table))] = spec.Table
	}
	var findings []Finding
	for _, spec := range tables.Keep {
		physical := fold(name(spec.Table))
		owner, taken := owners[physical]
		if !taken {
			owners[physical] = spec.Table
			continue
		}
		if owner == spec.Table {
			continue
		}
		findings = append(findings, Finding{
			Table: spec.Table, Refused: true,
			Text: "feature view " + spec.Table.VersionedName() + " of project " + spec.Table.Project + " would share table " + name(spec.Table) +
				" with feature view " + owner.VersionedName() + " of project " + owner.Project + "; rename one of them",
		})
	}
	return findings
}
