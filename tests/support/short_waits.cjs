// The CDK command line asks CloudFormation again after five seconds, but the embedded AWS is done
// within one. Only that pause is shortened: limits of time, such as those of connections, stay.
const wait = globalThis.setTimeout;
const resolves = (callback) => Function.prototype.toString.call(callback).includes("[native code]");

globalThis.setTimeout = Object.assign(
  (callback, delay, ...rest) =>
    wait(callback, delay === 5000 && resolves(callback) ? 200 : delay, ...rest),
  wait,
);
