"""Which class of an object's ancestors a method comes from."""

__all__ = ["goes_with"]


def goes_with(kind, name, others):
    """Tell whether a method knows of what the class does in other methods.

    A subclass that overrides one of the others inherits a method that does not know of it.

    Parameters
    ----------
    kind : type
    name : str
        The method.
    others : sequence of str
        Those of them that the class does not have do not count.

    Returns
    -------
    bool
        False also where the class has no such method.

    Examples
    --------
    >>> from sktime_tsd._lineage import goes_with
    >>> class Parent:
    ...     def slow(self): ...
    ...     def fast(self): ...
    >>> class Child(Parent):
    ...     def slow(self): ...
    >>> goes_with(Parent, "fast", ["slow"]), goes_with(Child, "fast", ["slow"])
    (True, False)
    """
    places = {}
    for place, parent in enumerate(kind.__mro__):
        for attribute in (name, *others):
            if attribute in vars(parent):
                places.setdefault(attribute, place)
    return name in places and places[name] == min(places.values())
