import '@mantine/core/styles.css';
import 'uplot/dist/uPlot.min.css';
import './app.css';
import { createTheme, MantineProvider } from '@mantine/core';
import { createRoot } from 'react-dom/client';
import { Dashboard } from './dashboard.tsx';
import { Store } from './store.ts';

const theme = createTheme({
  primaryColor: 'teal',
  defaultRadius: 'md',
  fontFamily: 'Inter, system-ui, sans-serif',
});

const store = new Store();
const root = document.createElement('div');
document.body.append(root);
createRoot(root).render(
  <MantineProvider theme={theme} defaultColorScheme="auto">
    <Dashboard store={store} />
  </MantineProvider>,
);
store.open();
