// Prints for each argument, which is the construct's properties as JSON, what is thrown for it, as a list.
const { App, Stack } = require('aws-cdk-lib');
const { JwtAuthorizer } = require('./lib');

const thrown = process.argv.slice(2).map((text) => {
  try {
    new JwtAuthorizer(new Stack(new App(), 'Wrong'), 'Jwt', JSON.parse(text));
    return '';
  } catch (error) {
    return error.message;
  }
});
console.log(JSON.stringify(thrown));
