// The server as it is.

import { startJejak } from '../support/jejak.ts';
import { serve } from '../support/serve.ts';

serve(startJejak);
