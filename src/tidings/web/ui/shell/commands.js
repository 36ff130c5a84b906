import { serverTime } from "../connection/state.js";
import { focusComposer } from "../kit/composer.js";
import { centreOpen, markAllRead, quietUntil, setQuiet, unread } from "../notifications/state.js";
import { go, goAlert, goDashboard, openRoom } from "../page/address.js";
import { dialog, signingIn } from "../page/layout.js";
import { theme } from "../page/theme.js";
import { askAboutRooms } from "../room/list.js";
import { summary } from "../rooms/state.js";
import { session, signOut } from "../session/state.js";
import { goUnread } from "./unread.js";

/** @typedef {{icon: string, label: string, run: () => unknown}} Command */

/** The commands that can be run now, as the search dialog offers them. @returns {Command[]} */
export function commands() {
  const room = openRoom.value ? summary(openRoom.value) : null;
  const name = session.value?.name;
  /** @type {(Command | null | false | undefined)[]} */
  const all = [
    { icon: "plus", label: "New conversation", run: () => (go(null), focusComposer()) },
    { icon: "hash", label: "Browse rooms", run: () => askAboutRooms({ kind: "rooms" }) },
    { icon: "plus", label: "Create room", run: () => askAboutRooms({ kind: "room-new", name: "" }) },
    { icon: "user", label: "New direct message", run: () => askAboutRooms({ kind: "direct-new" }) },
    room?.role === "owner" &&
      !room.archived && {
        icon: "user-plus",
        label: "Add a member",
        run: () => (dialog.value = { kind: "room-invite" }),
      },
    room?.role &&
      !room.archived && {
        icon: "door-open",
        label: `Leave #${room.name}`,
        run: () => (dialog.value = { kind: "room-leave", room: room.id }),
      },
    { icon: "chevrons-down", label: "Next unread room", run: () => goUnread(1) },
    { icon: "layout-dashboard", label: "Show dashboards", run: () => goDashboard("") },
    { icon: "gauge", label: "Show alerts", run: () => goAlert("") },
    { icon: "bell", label: "Show notifications", run: () => (centreOpen.value = true) },
    unread.value > 0 && { icon: "check-check", label: "Mark all notifications as read", run: markAllRead },
    !!name &&
      (quietUntil.value === null
        ? { icon: "bell-off", label: "Do not disturb for an hour", run: () => setQuiet(serverTime() + 3600) }
        : { icon: "bell", label: "Turn off Do not disturb", run: () => setQuiet(null) }),
    { icon: "sun", label: "Use light colours", run: () => (theme.value = "light") },
    { icon: "moon", label: "Use dark colours", run: () => (theme.value = "dark") },
    { icon: "monitor", label: "Use the system's colours", run: () => (theme.value = "system") },
    { icon: "keyboard", label: "Show shortcuts", run: () => (dialog.value = { kind: "help" }) },
    { icon: "settings-2", label: "Connect a model", run: () => (dialog.value = { kind: "model" }) },
    session.value?.auth === "open" && {
      icon: "user",
      label: name ? "Change name" : "Choose a name",
      run: () => (signingIn.value = true),
    },
    (session.value?.auth === "token" || !!name) && { icon: "log-out", label: "Sign out", run: signOut },
  ];
  return all.filter((command) => !!command);
}
