// Synthesizes the construct from JavaScript: node synthesize.js OUTPUT-FOLDER PROPERTIES…
// Prints for each further argument, which is JSON as well, what is thrown for it, as a list.
const { App, Stack } = require('aws-cdk-lib');
const { JwtAuthorizer } = require('./lib');

const [outdir, properties, ...wrong] = process.argv.slice(2);
const app = new App({ outdir });
new JwtAuthorizer(new Stack(app, 'Orders'), 'Jwt', JSON.parse(properties));
app.synth();
const thrown = wrong.map((text) => {
  try {
    new JwtAuthorizer(new Stack(new App(), 'Wrong'), 'Jwt', JSON.parse(text));
    return '';
  } catch (error) {
    return error.message;
  }
});
console.log(JSON.stringify(thrown));
