export type Seat = {
    send: (message: Omit<import("./connection.js").TabMessage, "from">) => void;
    /**
     * give the place back; the other tabs go on
     */
    leave: () => void;
    shared: boolean;
};
export type Settings = import("./connection.js").Settings & {
    subject?: string;
};
export type Receive = (message: import("./connection.js").HolderMessage) => void;
/**
 * Take a seat at the connection of all tabs that have the same settings and the same version of this module.
 *
 * All tabs talk over one BroadcastChannel. The lock of the channel's name makes its owner the holder of the connection: a
 * shared worker, or one of the tabs where there is no worker. Each tab has a lock of its own, so that the holder notices
 * its end, even by a crash. Every tab also waits for the connection's lock, so that one of them takes over when the
 * holder is gone.
 *
 * @param {Settings} settings
 * @param {boolean} wanted share the connection, if the browser can
 * @param {Receive} receive called with every message of the holder
 * @returns {Seat}
 */
export declare function join(settings: Settings, wanted: boolean, receive: Receive): Seat;
/**
 * Hold the connection for all tabs.
 * @param {Settings} settings
 * @param {"worker" | "tab"} by
 * @param {string} name
 * @returns {() => void} gives the connection up
 */
export declare function host(settings: Settings, by: "worker" | "tab", name: string): () => void;
