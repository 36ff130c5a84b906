export type Seat = {
    send: (message: Omit<import("./connection.js").Told, "from">) => void;
    /**
     * and let others go on
     */
    leave: () => void;
    shared: boolean;
};
export type Settings = import("./connection.js").Settings & {
    subject?: string;
};
export type Receive = (message: import("./connection.js").Tells) => void;
/**
 * Take a seat at the connection of all tabs that have the same settings and the same version of this module.
 *
 * All talk over one BroadcastChannel. Whoever has the lock of its name holds the connection: a shared worker, or, where
 * there is none, one of the tabs. A tab has a lock of its own, so that the holder hears of its end, even by a crash;
 * and every tab stands in line for the connection's, so that one of them takes over when its holder is gone.
 *
 * @param {Settings} settings
 * @param {boolean} wanted
 * @param {Receive} receive
 * @returns {Seat}
 */
export declare function join(settings: Settings, wanted: boolean, receive: Receive): Seat;
/**
 * Hold the connection.
 * @param {Settings} settings
 * @param {"worker" | "tab"} by
 * @param {string} name
 * @returns {() => void} let it go
 */
export declare function host(settings: Settings, by: "worker" | "tab", name: string): () => void;
