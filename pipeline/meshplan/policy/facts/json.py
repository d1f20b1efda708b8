"""The type of answers."""

Json = str | int | bool | list["Json"] | dict[str, "Json"]
