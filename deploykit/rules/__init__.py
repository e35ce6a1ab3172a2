"""One function per rule id: what the services' own tests do not see. A rule that lacks a fact says nothing."""
