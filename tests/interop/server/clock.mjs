/** This process's clock, to be set wrong: whoever asks for the time after this import gets it. */

const True = globalThis.Date;
let ahead = 0;

globalThis.Date = class Date extends True {
  constructor(...parts) {
    super(...(parts.length ? parts : [Date.now()]));
  }

  static now() {
    return True.now() + ahead * 1000;
  }
};

export function setAhead(seconds) {
  ahead = seconds;
}
