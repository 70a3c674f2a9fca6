import { configureSync, disposeSync, type LogRecord } from "@logtape/logtape";

/** What is logged while it is in use, from debug on. */
export class LogRecords implements Disposable {
  readonly records: LogRecord[] = [];

  constructor() {
    configureSync({
      reset: true,
      sinks: { records: (record) => this.records.push(record) },
      loggers: [
        { category: [], lowestLevel: "debug", sinks: ["records"] },
        { category: ["logtape"], lowestLevel: "warning", sinks: [] },
      ],
    });
  }

  /** `level message` of each, that an operator sees. */
  get lines(): string[] {
    return this.records.filter(({ level }) => level !== "debug").map(({ level, rawMessage }) =>
      `${level} ${String(rawMessage)}`
    );
  }

  [Symbol.dispose](): void {
    disposeSync();
  }
}
