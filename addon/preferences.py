"""The add-on's preferences: the command that renders here, and the clusters that render elsewhere. No tokens."""

from __future__ import annotations

import functools
from typing import Any, Final

import bpy

from farm.cluster.jobs import Profile, parse_address
from farm.errors import BadInput

from .farm_there import Cluster
from .state import draw_lines

__all__ = [
    "CLASSES",
    "HERE",
    "OFFLINE",
    "chosen_cluster",
    "command_of",
    "denoiser_of",
    "find_cluster",
    "online",
    "preferences_of",
    "require_online",
    "wrong_address",
]

HERE: Final = "This Machine"
OFFLINE: Final = "Blender's preferences do not allow online access"
_items: list[tuple[str, str, str, str, int]] = []
"""Blender does not keep the texts of a menu itself."""


def _tidy(cluster: Any, _: Any) -> None:
    """Take a user and password out of an address that was pasted: nothing secret is kept in preferences."""
    scheme, mark, rest = cluster.address.rpartition("://")
    host, slash, path = rest.partition("/")
    if "@" in host:
        cluster.address = scheme + mark + host.rpartition("@")[2] + slash + path


class DIGIDOUBLE_PG_cluster(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own form
    """A cluster of Ray that renders."""

    name: bpy.props.StringProperty(name="Name", description="What you call it")  # type: ignore[valid-type]
    address: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Address",
        description="Where its dashboard answers, such as https://farm.studio.com; or http://localhost:8265, the near"
        " end of a tunnel",
        update=_tidy,
    )
    out: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Datasets",
        description="Where its datasets go, as the cluster sees it: the full path of a folder that all its machines"
        " share, or an object store such as s3://studio-datasets",
    )
    store: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Large Files",
        description="Where files over 100 MB go that a render needs: s3://studio-assets, or a shared folder",
    )
    python: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Python", description="The Python that runs renders on the cluster's machines", default="python"
    )
    open_cluster: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Open Cluster",
        description="Use it although it asks for no token: whoever reaches such a cluster runs what they like on it",
    )
    plain_token: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Unencrypted Token",
        description="Send the token to it without encryption: everybody on the way can read and use it",
    )


def cluster_of(entry: Any) -> Cluster:
    """A cluster of the list, as the client takes it."""
    profile = Profile(
        url=entry.address.strip(),
        out=entry.out.strip() or None,
        assets_store=entry.store.strip() or None,
        python=entry.python.strip() or "python",
        allow_open_cluster=entry.open_cluster,
        allow_plain_token=entry.plain_token,
    )
    return Cluster(entry.name, profile)


@functools.lru_cache(maxsize=32)
def wrong_address(text: str) -> str:
    """What is wrong with an address; '' where nothing is."""
    try:
        parse_address(text)
    except BadInput as error:
        return str(error)
    return ""


def wrong_folder(text: str) -> str:
    """What is wrong with where datasets go; '' where nothing is."""
    if not text.strip() or text.startswith("/") or "://" in text:
        return ""
    return "give the full path of a folder that all machines share, or such as s3://bucket/datasets"


class DIGIDOUBLE_UL_clusters(bpy.types.UIList):  # noqa: N801
    """The clusters by name."""

    def draw_item(
        self, _context: Any, layout: Any, _data: Any, item: Any, _icon: Any, _active: Any, _name: Any
    ) -> None:
        """Name and address."""
        row = layout.row()
        row.prop(item, "name", text="", emboss=False, icon="NETWORK_DRIVE")
        told = row.row()
        told.active = False
        told.label(text=item.address)


class DIGIDOUBLE_AP_preferences(bpy.types.AddonPreferences):  # noqa: N801
    """What holds for all files."""

    bl_idname = __package__ or "addon"
    command: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Render Command",
        description="The command 'digidouble' of an installation that can render; left empty, it is looked for",
        subtype="FILE_PATH",
    )
    denoiser: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Denoiser",
        description="A denoiser that was trained on a dataset, as 'digidouble onnx' exports it",
        subtype="FILE_PATH",
    )
    clusters: bpy.props.CollectionProperty(type=DIGIDOUBLE_PG_cluster)  # type: ignore[valid-type]
    active: bpy.props.IntProperty()  # type: ignore[valid-type]
    place: bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]

    def _places(self, _: Any) -> list[tuple[str, str, str, str, int]]:
        names = [(HERE, "Render on this machine, in the background", "DESKTOP")]
        names += [(each.name, f"Render on {each.address}", "NETWORK_DRIVE") for each in self.clusters if each.name]
        _items[:] = [(name, name, told, icon, number) for number, (name, told, icon) in enumerate(names)]
        return _items

    def _get_place(self) -> int:
        names = [each.name for each in self.clusters if each.name]
        return names.index(self.place) + 1 if self.place in names else 0

    def _set_place(self, number: int) -> None:
        names = ["", *(each.name for each in self.clusters if each.name)]
        self.place = names[number] if number < len(names) else ""

    where: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Render On", description="Which machines render", items=_places, get=_get_place, set=_set_place
    )

    def draw(self, _: Any) -> None:
        """The command, the denoiser, the clusters."""
        layout = self.layout
        layout.prop(self, "command")
        layout.prop(self, "denoiser")
        layout.label(text="Clusters")
        row = layout.row()
        row.template_list("DIGIDOUBLE_UL_clusters", "", self, "clusters", self, "active", rows=3)
        buttons = row.column(align=True)
        buttons.operator("digidouble.add_cluster", text="", icon="ADD")
        buttons.operator("digidouble.remove_cluster", text="", icon="REMOVE")
        if 0 <= self.active < len(self.clusters):
            _draw_cluster(layout, self.clusters[self.active])


def _draw_cluster(layout: Any, cluster: Any) -> None:
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(cluster, "address")
    _tell(column, wrong_address(cluster.address) if cluster.address else "")
    column.prop(cluster, "out")
    _tell(column, wrong_folder(cluster.out))
    column.prop(cluster, "store")
    column.prop(cluster, "python")
    column.prop(cluster, "open_cluster")
    column.prop(cluster, "plain_token")
    told = layout.column(align=True)
    told.active = False
    told.label(text="A token is never kept here. It is read where Ray looks for it, RAY_AUTH_TOKEN or")
    told.label(text="~/.ray/auth_token; or click Enter Token in the panel Farm, and it is known until Blender ends.")


def _tell(layout: Any, problem: str) -> None:
    lines = layout.column()
    lines.alert = True
    draw_lines(lines, problem, width=80)


class DIGIDOUBLE_OT_add_cluster(bpy.types.Operator):  # noqa: N801
    """Add a cluster to the list"""

    bl_idname = "digidouble.add_cluster"
    bl_label = "Add Cluster"

    def execute(self, context: Any) -> set[str]:
        """A cluster at the near end of a tunnel, under a name that is free."""
        preferences = preferences_of(context)
        if preferences is None:
            self.report({"ERROR"}, "The add-on is not switched on in the preferences")
            return {"CANCELLED"}
        taken = {each.name for each in preferences.clusters}
        names = ("Farm", *(f"Farm {number}" for number in range(2, len(taken) + 3)))
        made = preferences.clusters.add()
        made.name = next(name for name in names if name not in taken)
        made.address = "http://localhost:8265"
        preferences.active = len(preferences.clusters) - 1
        return {"FINISHED"}


class DIGIDOUBLE_OT_remove_cluster(bpy.types.Operator):  # noqa: N801
    """Take the chosen cluster off the list; its renders go on"""

    bl_idname = "digidouble.remove_cluster"
    bl_label = "Remove Cluster"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where one is chosen."""
        preferences = preferences_of(context)
        return preferences is not None and 0 <= preferences.active < len(preferences.clusters)

    def execute(self, context: Any) -> set[str]:
        """Remove it."""
        preferences = preferences_of(context)
        preferences.clusters.remove(preferences.active)
        preferences.active = max(0, preferences.active - 1)
        return {"FINISHED"}


def preferences_of(context: Any) -> Any:
    """The add-on's preferences; None where Blender has none for it."""
    addon = context.preferences.addons.get(DIGIDOUBLE_AP_preferences.bl_idname)
    return None if addon is None else addon.preferences


def command_of(context: Any) -> str:
    """The command that the preferences name; '' where they name none."""
    preferences = preferences_of(context)
    return "" if preferences is None else str(preferences.command)


def denoiser_of(context: Any) -> str:
    """The denoiser's file; '' where none was chosen."""
    preferences = preferences_of(context)
    return "" if preferences is None else bpy.path.abspath(preferences.denoiser)


def chosen_cluster(context: Any) -> Cluster | None:
    """The cluster that renders; None for this machine."""
    preferences = preferences_of(context)
    return find_cluster(context, preferences.place) if preferences is not None else None


def find_cluster(context: Any, name: str) -> Cluster | None:
    """The cluster of a name; None where there is none any more."""
    preferences = preferences_of(context)
    entries = () if preferences is None else preferences.clusters
    return next((cluster_of(each) for each in entries if name and each.name == name), None)


def online(address: str) -> bool:
    """Whether Blender's preferences let the add-on speak to an address: to this machine always."""
    return bpy.app.online_access or parse_address(address).loopback


def require_online(address: str) -> None:
    """BadInput where Blender's preferences do not let the add-on speak to an address."""
    if not online(address):
        raise BadInput(OFFLINE)


CLASSES: Final = (
    DIGIDOUBLE_PG_cluster,
    DIGIDOUBLE_UL_clusters,
    DIGIDOUBLE_AP_preferences,
    DIGIDOUBLE_OT_add_cluster,
    DIGIDOUBLE_OT_remove_cluster,
)
